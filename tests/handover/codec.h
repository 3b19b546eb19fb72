// What a plugin shows to its host: its instance, for a handover.
#ifndef TESTS_HANDOVER_CODEC_H_
#define TESTS_HANDOVER_CODEC_H_

#include "handover/functions.h"

// The one name that a plugin exports.
extern "C" __attribute__((visibility("default"))) void HandoverTestCodec(
    alcove::InstanceFunctions* functions);

#endif  // TESTS_HANDOVER_CODEC_H_
