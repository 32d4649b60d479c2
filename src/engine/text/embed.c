/* embed.c: writes a file as a C array; run by the build: embed INPUT OUTPUT NAME. */
#include <stdio.h>

int main(int argc, char **argv)
{
    FILE *in = argc == 4 ? fopen(argv[1], "rb") : NULL;
    FILE *out = in ? fopen(argv[2], "w") : NULL;
    int c, n = 0;

    if (!out) {
        fprintf(stderr, "usage: embed INPUT OUTPUT NAME\n");
        return 2;
    }
    fprintf(out, "extern const unsigned char %s[];\nconst unsigned char %s[] = {", argv[3],
            argv[3]);
    while ((c = fgetc(in)) != EOF)
        fprintf(out, n++ % 24 ? "%d," : "\n%d,", c);
    fprintf(out, "\n};\n");
    return ferror(in) || fclose(out) ? 1 : 0;
}
