#include <stdio.h>

int main(void)
{
    fputs("usage: cauldron COMMAND\n", stderr);
    return 2;
}
