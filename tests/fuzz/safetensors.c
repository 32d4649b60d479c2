/* Any bytes as a safetensors file: refused or read, and then every tensor is readable. */
#include "fuzz.h"

#include "engine/weights/safetensors.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct arena a = {0};
    struct safetensors file;
    struct err e;
    volatile float sink = 0;

    if (safetensors_parse(&a, "input", bytes, n, &file, &e) == 0) {
        for (int i = 0; i < file.count; i++) {
            int64_t count = tensor_count(&file.tensors[i]);
            if (count > 0)
                sink = tensor_at(&file.tensors[i], 0) + tensor_at(&file.tensors[i], count - 1);
        }
        (void)safetensors_note(&file, "format");
    }
    (void)sink;
    arena_release(&a);
    return 0;
}
