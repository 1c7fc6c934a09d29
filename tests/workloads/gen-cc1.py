#!/usr/bin/python3
"""Prints the C file that scripts/bench has cc1 compile: 3000 small functions, and a main that calls them all."""
FUNCTIONS = 3000
BODY = ("static int f{n}(int a,int b){{int s=0;for(int i=0;i<a;i++)"
        "{{s+=i*b^{n};if(s%7==3)s-=b; else s^=(a<<{shift});}}return s;}}")

print("#include <stdio.h>\n#include <string.h>")
for n in range(FUNCTIONS):
    print(BODY.format(n=n, shift=n % 8))
print("int main(void){int s=0;")
for n in range(FUNCTIONS):
    print(f"s+=f{n}(s,{n});")
print('printf("%d\\n",s);return 0;}')
