// cauldron.h from C++: it compiles, and its functions have C linkage.
#include <cauldron.h>

int main()
{
    struct cauldron_options options = cauldron_options();
    struct cauldron_model *model = nullptr;
    struct cauldron_error e;
    return cauldron_open("/nowhere", &options, &model, &e) == CAULDRON_NOT_FOUND ? 0 : 1;
}
