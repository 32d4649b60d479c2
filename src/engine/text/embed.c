/* embed.c: writes a file as a C array; run by the build: embed INPUT OUTPUT NAME. */
#include <stdio.h>

static int embed(FILE *in, FILE *out, const char *name)
{
    int c, n = 0;

    fprintf(out, "extern const unsigned char %s[];\nconst unsigned char %s[] = {", name, name);
    while ((c = fgetc(in)) != EOF)
        fprintf(out, n++ % 24 ? "%d," : "\n%d,", c);
    fprintf(out, "\n};\n");
    return ferror(in) || ferror(out);
}

int main(int argc, char **argv)
{
    FILE *in = argc == 4 ? fopen(argv[1], "rb") : NULL;
    FILE *out = argc == 4 ? fopen(argv[2], "w") : NULL;
    int rc = 1;

    if (in && out)
        rc = embed(in, out, argv[3]);
    else
        fprintf(stderr, "usage: embed INPUT OUTPUT NAME\n");
    if (in)
        fclose(in);
    if (out && fclose(out))
        rc = 1;
    return rc;
}
