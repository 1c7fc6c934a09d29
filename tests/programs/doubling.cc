/*
 * doubling.cc - names of some hundred bytes that stand for megabytes, or for more than there is memory.
 *
 * BUILD -O0 -g0
 * VALGRIND no: its demangler has no bound
 *
 * Five functions allocate 100 bytes each and free them. pair_of<A, A> says A twice, so each level doubles
 * the name: with 8 levels it is 7 KB and whole; with 24 and 40 it is shortened. In Rust's mangling B refers
 * back to a part of the name; a tuple of twice the tuple before doubles, too. Dp is a pack expansion: the
 * demangler looks through all of what follows for a pack, and without one it prints nothing meanwhile.
 *
 * EXPECT allocations 5
 * EXPECT allocated_bytes 500
 * EXPECT peak_bytes 100
 * EXPECT temporary 5
 * EXPECT shortened 4
 * EXPECT unresolved_frames 0
 * EXPECT main inclusive allocations 5
 */
#include <cstdlib>

template <class A, class B> struct pair_of {
};
template <int N> struct grow {
    using type = pair_of<typename grow<N - 1>::type, typename grow<N - 1>::type>;
};
template <> struct grow<0> {
    using type = int;
};

static void *volatile kept;

static void allocate()
{
    kept = malloc(100);
    free(kept);
}

template <class T> static void hold(T *)
{
    allocate();
}

void rust() __asm__(
    "_RINvC1a1fTuuETB7_B7_ETBb_Bb_ETBj_Bj_ETBr_Br_ETBz_Bz_ETBH_BH_ETBP_BP_ETBX_BX_ETB15_B15_E"
    "TB1d_B1d_ETB1n_B1n_ETB1x_B1x_ETB1H_B1H_ETB1R_B1R_ETB21_B21_ETB2b_B2b_ETB2l_B2l_ETB2v_B2v"
    "_ETB2F_B2F_ETB2P_B2P_ETB2Z_B2Z_ETB39_B39_ETB3j_B3j_ETB3t_B3t_ETB3D_B3D_ETB3N_B3N_ETB3X_B"
    "3X_ETB47_B47_ETB4h_B4h_ETB4r_B4r_ETB4B_B4B_ETB4L_B4L_ETB4V_B4V_ETB55_B55_ETB5f_B5f_ETB5p"
    "_B5p_ETB5z_B5z_ETB5J_B5J_ETB5T_B5T_ETB63_B63_EE");
void silent() __asm__(
    "_Z1fDp1pIS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS"
    "_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IS_IiiES0_ES1_ES2_ES3_ES4_ES5_ES6_ES7_ES8_ES9_ESA_ESB_"
    "ESC_ESD_ESE_ESF_ESG_ESH_ESI_ESJ_ESK_ESL_ESM_ESN_ESO_ESP_ESQ_ESR_ESS_EST_ESU_ESV_ESW_ESX_"
    "ESY_ESZ_ES10_ES11_ES12_E");

void rust()
{
    allocate();
}

void silent()
{
    allocate();
}

int main()
{
    hold(static_cast<grow<8>::type *>(nullptr));
    hold(static_cast<grow<24>::type *>(nullptr));
    hold(static_cast<grow<40>::type *>(nullptr));
    rust();
    silent();
}
