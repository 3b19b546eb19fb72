#include "core/slab/picture.h"

namespace ALCOVE_CORE_NAMESPACE {

ALCOVE_COLD SlabPicture::SlabPicture(const Slab& slab) {
  const unsigned blocks = slab.blocks;
  const unsigned each = (blocks + kWidth - 1) / kWidth;
  unsigned at = 0;
  for (unsigned first = 0; first < blocks; first += each) {
    char shown = '.';
    for (unsigned i = first; i < first + each && i < blocks; ++i) {
      if (i >= slab.fresh) continue;
      if (shown == '.') shown = 'o';
      if ((slab.local[i / 64] >> (i % 64) & 1) == 0) shown = '#';
    }
    text[at++] = shown;
  }
  text[at] = '\0';
}

ALCOVE_COLD void WriteSlab(const Log<LogLevel::trace>& log, const char* what,
                           const Slab& slab) {
  TextLine line;
  line.Text("slab at ").Address(slab.start).Text(" ").Text(what).Text(": ");
  line.Decimal(size_t{slab.blocks} - slab.available).Text(" of ");
  line.Decimal(slab.blocks).Text(" blocks of ");
  line.Decimal(InfoOf(slab.size_class).size).Text(" bytes out ");
  log.Write(line.Text(SlabPicture(slab).text));
}

}  // namespace ALCOVE_CORE_NAMESPACE
