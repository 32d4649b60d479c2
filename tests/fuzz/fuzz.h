/*
 * fuzz.h: what a fuzz target includes. A target must accept any bytes: it may refuse them, but not
 * crash, leak, or take long.
 *
 *   int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
 *   {
 *       struct err e;
 *       ... parse bytes[0 .. n - 1], release what came of it ...
 *       return 0;
 *   }
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);

#endif
