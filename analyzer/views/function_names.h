/*
 * function_names.h - functions by their names: the ones that a user names, and wrappers, which only
 * pass a request for memory on to malloc. Any thread.
 */
#ifndef MPROF_FUNCTION_NAMES_H
#define MPROF_FUNCTION_NAMES_H

/* Does the user mean this function? He may leave out parameters, template arguments and outer
 * namespaces, and write the name as report prints it, where an ellipsis (also "...") stands for
 * what was cut out. */
int function_is_called(const char *name, const char *wanted);

/* A function of one of these names is a wrapper; "*" at the end stands for anything. The manual
 * shows the list. Template arguments do not count. */
#define WRAPPER_NAMES                                                                              \
    "xmalloc xmalloc0 xmallocz xcalloc xzalloc xrealloc xreallocarray xmallocarray xmemdup "       \
    "xmemdup0 xmemdupz xstrdup xstrndup xnmalloc xnrealloc xpalloc xcharalloc x2realloc "          \
    "x2nrealloc ximalloc xicalloc xizalloc xirealloc xireallocarray xinmalloc xaligned_alloc "     \
    "xalignalloc xasprintf xvasprintf do_xmalloc do_xmallocz sh_xmalloc sh_xcalloc sh_xrealloc "   \
    "strdup strndup __strdup __strndup asprintf vasprintf __asprintf __vasprintf "                 \
    "safe_malloc safe_calloc safe_realloc checked_malloc emalloc ecalloc erealloc estrdup "        \
    "zmalloc zcalloc zrealloc zmalloc_* zcalloc_* zrealloc_* ztrymalloc* ztrycalloc* "             \
    "ztryrealloc* "                                                                                \
    "g_malloc* g_try_malloc* g_realloc* g_try_realloc* g_aligned_alloc* g_slice_alloc* "           \
    "g_slice_copy g_memdup* g_strdup g_strndup "                                                   \
    "PyMem_* _PyMem_* PyObject_Malloc PyObject_Calloc PyObject_Realloc _PyObject_Malloc* "         \
    "_PyObject_Calloc* _PyObject_Realloc* _PyObject_GC_* PyObject_GC_* gc_alloc pymalloc_* "       \
    "PyType_GenericAlloc _PyType_AllocNoTrack "                                                    \
    "Perl_safesys* ruby_xmalloc* ruby_xcalloc* ruby_xrealloc* objspace_xmalloc* "                  \
    "objspace_xcalloc* objspace_xrealloc* luaM_malloc_ luaM_realloc_ luaM_saferealloc_ "           \
    "luaM_growaux_ luaM_shrinkvector_ l_alloc "                                                    \
    "sqlite3_malloc* sqlite3_realloc* sqlite3Malloc* sqlite3Realloc* sqlite3MemMalloc "            \
    "sqlite3MemRealloc sqlite3DbMalloc* sqlite3DbRealloc* sqlite3DbStrDup sqlite3DbStrNDup "       \
    "dbMallocRawFinish dbReallocFinish mallocWithAlarm "                                           \
    "palloc palloc0 palloc_extended repalloc* pg_malloc* pg_realloc* pg_strdup "                   \
    "MemoryContextAlloc* AllocSetAlloc* AllocSetRealloc "                                          \
    "ngx_alloc ngx_calloc ngx_memalign ngx_palloc* ngx_pnalloc ngx_pcalloc ngx_pmemalign "         \
    "apr_palloc apr_pcalloc apr_pcalloc_debug CRYPTO_malloc CRYPTO_zalloc CRYPTO_realloc* "        \
    "CRYPTO_memdup CRYPTO_strdup "                                                                 \
    "x264_malloc x265_malloc _objalloc_alloc bfd_malloc bfd_zmalloc bfd_realloc "                  \
    "bfd_realloc_or_free bfd_alloc bfd_zalloc bfd_hash_allocate "                                  \
    "av_malloc* av_mallocz* av_calloc av_realloc* av_fast_malloc* av_buffer_alloc* av_strdup "     \
    "AcquireMagickMemory AcquireQuantumMemory AcquireCriticalMemory AcquireAlignedMemory "         \
    "AcquireVirtualMemory ResizeMagickMemory ResizeQuantumMemory "                                 \
    "ggc_* va_heap::* va_gc::* _obstack_* base_pool_allocator::* "                                 \
    "llvm::safe_malloc llvm::safe_calloc llvm::safe_realloc llvm::allocate_buffer "                \
    "llvm::BumpPtrAllocatorImpl::* QArrayData::allocate* QArrayData::reallocate* "                 \
    "os::malloc os::realloc AllocateHeap ReallocateHeap node::Malloc node::UncheckedMalloc "       \
    "node::Realloc node::UncheckedRealloc v8::base::Malloc v8::internal::AllocWithRetry "          \
    "std::allocator::* std::allocator_traits::* std::make_unique std::make_shared "                \
    "std::allocate_shared "                                                                        \
    "__rust_* __rdl_* __rg_* alloc::alloc::* alloc::raw_vec::* core::alloc::*"

/* One of the names above; operator new of whatever class; or a part of the C++ library that only it
 * may name: in std or __gnu_cxx, with a name that begins with an underscore. */
int function_is_wrapper(const char *name);

#endif
