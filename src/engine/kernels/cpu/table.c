/* cpu/table.c: the executor's table for one instruction set. */
#include "engine/kernels/cpu/table.h"

const struct kernels ISA(kernels) = {
    .name = "cpu",
    .isa = ISA_TEXT,
};
