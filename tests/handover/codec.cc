// A plugin whose instance has the prefix codec_, in every version of it.
#include "tests/handover/codec.h"

#include CODEC_HEADER

void HandoverTestCodec(alcove::InstanceFunctions* functions) {
  *functions = ALCOVE_INSTANCE_FUNCTIONS(codec_);
}
