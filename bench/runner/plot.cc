#include "bench/runner/plot.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "bench/runner/format.h"

namespace bench {

namespace {

// The axis.
constexpr double kLow = 0.25;
constexpr double kHigh = 8;
constexpr double kMarks[] = {0.25, 0.5, 1, 2, 4, 8};

// Pixels.
constexpr double kWidth = 1040;
constexpr double kLabelsEnd = 165;
constexpr double kPanelWidth = 400;
constexpr double kGap = 40;
constexpr double kHead = 64;
constexpr double kBar = 19;
constexpr double kRow = 19;
constexpr double kAxis = 46;
constexpr double kFoot = 34;

constexpr char kInk[] = "#1f2328";
constexpr char kFaint[] = "#6e7781";
constexpr char kOurs[] = "#d1350f";
constexpr const char* kPeers[] = {"#7d8590", "#2f6fde", "#1a9a5f", "#8250df",
                                  "#c99700", "#0e9fb5", "#c2348a", "#5b4a3f"};

struct Panel {
  Measure measure;
  const char* title;
  double left;
};

constexpr Panel kPanels[] = {
    {Measure::kTime, "Time", kLabelsEnd + 15},
    {Measure::kPeak, "Peak memory", kLabelsEnd + 15 + kPanelWidth + kGap},
};

std::string Escape(const std::string& text) {
  return absl::StrReplaceAll(text,
                             {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}});
}

class Svg {
 public:
  void Line(double x1, double y1, double x2, double y2, const char* color,
            double width) {
    absl::StrAppendFormat(
        &text_,
        "<line x1='%.1f' y1='%.1f' x2='%.1f' y2='%.1f' stroke='%s' "
        "stroke-width='%.1f'/>\n",
        x1, y1, x2, y2, color, width);
  }
  void Rectangle(double x, double y, double width, double height,
                 const char* color, double opacity = 1) {
    absl::StrAppendFormat(&text_,
                          "<rect x='%.1f' y='%.1f' width='%.1f' height='%.1f' "
                          "fill='%s' fill-opacity='%.2f'/>\n",
                          x, y, width, height, color, opacity);
  }
  // `anchor`: start, middle or end. `style`: further attributes.
  void Text(double x, double y, const std::string& text, const char* anchor,
            const char* color, const char* style = "") {
    absl::StrAppendFormat(
        &text_,
        "<text x='%.1f' y='%.1f' text-anchor='%s' fill='%s' %s>%s</text>\n", x,
        y, anchor, color, style, Escape(text));
  }
  void Raw(const std::string& text) { text_ += text; }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

// Each column's colour; our first is filled, our others are rings of the same.
struct Ink {
  std::string color;
  bool ring = false;
  bool ours = false;
};

std::vector<Ink> Inks(const Results& results) {
  std::vector<Ink> inks;
  size_t peers = 0;
  bool first = true;
  for (const Column& column : results.columns()) {
    if (column.ours) {
      inks.push_back({kOurs, !first, true});
      first = false;
    } else {
      inks.push_back({kPeers[peers++ % std::size(kPeers)], false, false});
    }
  }
  return inks;
}

double X(const Panel& panel, double ratio) {
  const double clipped = std::clamp(ratio, kLow, kHigh);
  return panel.left +
         kPanelWidth * std::log(clipped / kLow) / std::log(kHigh / kLow);
}

// A dot, or an arrow at the end of the axis.
void Mark(Svg& svg, const Panel& panel, double ratio, double y, const Ink& ink,
          const std::string& title) {
  const double x = X(panel, ratio);
  const double r = ink.ours && !ink.ring ? 5.5 : 4;
  std::string shape;
  if (ratio < kLow || ratio > kHigh) {
    const double way = ratio < kLow ? -1 : 1;
    shape = absl::StrFormat("<path d='M%.1f %.1f l%.1f %.1f l0 %.1f z'",
                            x + way * (r + 3), y, -way * 2 * r, -r, 2 * r);
  } else {
    shape = absl::StrFormat("<circle cx='%.1f' cy='%.1f' r='%.1f'", x, y, r);
  }
  svg.Raw(absl::StrFormat(
      "%s fill='%s' fill-opacity='%s' stroke='%s' stroke-width='%s'><title>%s"
      "</title></%s>\n",
      shape, ink.ring ? "#ffffff" : ink.color, ink.ours ? "1" : "0.75",
      ink.ring ? ink.color : "#ffffff", ink.ring ? "1.6" : "0.8", Escape(title),
      ratio < kLow || ratio > kHigh ? "path" : "circle"));
}

std::string MarkLabel(double mark) {
  if (mark == 0.25) return "¼";
  if (mark == 0.5) return "½";
  return absl::StrCat(mark, "×");
}

void Grid(Svg& svg, const Panel& panel, double top, double bottom) {
  for (const double mark : kMarks) {
    const bool one = mark == 1;
    svg.Line(X(panel, mark), top, X(panel, mark), bottom,
             one ? kInk : "#d0d7de", one ? 1.4 : 0.8);
  }
}

void AxisLabels(Svg& svg, const Panel& panel, double y) {
  for (const double mark : kMarks) {
    svg.Text(X(panel, mark), y, mark == 1 ? "best peer" : MarkLabel(mark),
             "middle", mark == 1 ? kInk : kFaint);
  }
}

// Bars from the best peer's line to the mean, with the figure beyond them.
void Means(Svg& svg, const Results& results, const std::vector<Ink>& inks,
           double top) {
  for (size_t column = 0; column < results.columns().size(); ++column) {
    const double y = top + kBar * (static_cast<double>(column) + 0.5);
    const Ink& ink = inks[column];
    const Column& allocator = results.columns()[column];
    svg.Text(kLabelsEnd, y + 4,
             allocator.aside ? absl::StrCat(allocator.name, " (aside)")
                             : allocator.name,
             "end", ink.ours ? kOurs : kInk,
             ink.ours ? "font-weight='bold'" : "");
    for (const Panel& panel : kPanels) {
      const double mean = results.AgainstBest(panel.measure, column).mean;
      if (mean <= 0) {
        svg.Text(X(panel, 1) + 6, y + 4,
                 allocator.absent.empty() ? "no figures" : allocator.absent,
                 "start", kFaint);
        continue;
      }
      const double from = X(panel, std::min(mean, 1.0));
      const double to = X(panel, std::max(mean, 1.0));
      svg.Rectangle(from, y - kBar / 2 + 3, std::max(to - from, 1.5), kBar - 6,
                    ink.color.c_str(),
                    ink.ring   ? 0.45
                    : ink.ours ? 1
                               : 0.75);
      const bool ahead = mean < 1;
      svg.Text(ahead ? from - 5 : to + 5, y + 4, FormatRatio(mean),
               ahead ? "end" : "start", ink.ours ? kOurs : kInk,
               ink.ours ? "font-weight='bold'" : "");
    }
  }
}

void Rows(Svg& svg, const Results& results, const std::vector<Ink>& inks,
          double top) {
  for (size_t row = 0; row < results.rows().size(); ++row) {
    const double y = top + kRow * (static_cast<double>(row) + 0.5);
    svg.Text(kLabelsEnd, y + 4, results.rows()[row].name, "end", kInk);
    for (const Panel& panel : kPanels) {
      std::vector<std::string> failed;
      std::string failure;
      // Ours last, so that nothing hides them; the first of them on top.
      std::vector<size_t> order;
      for (size_t i = results.columns().size(); i-- > 0;) order.push_back(i);
      std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
        return inks[a].ours < inks[b].ours;
      });
      for (const size_t column : order) {
        const double ratio = results.Ratio(panel.measure, row, column);
        const Column& allocator = results.columns()[column];
        if (ratio > 0) {
          Mark(
              svg, panel, ratio, y, inks[column],
              absl::StrCat(
                  allocator.name, ": ", FormatRatio(ratio), ", ",
                  panel.measure == Measure::kTime
                      ? FormatSeconds(results.Value(panel.measure, row, column))
                      : FormatKib(results.Value(panel.measure, row, column))));
        } else if (allocator.absent.empty() &&
                   !results.cell(row, column).failure.empty()) {
          failed.push_back(allocator.name);
          failure = results.cell(row, column).failure;
        }
      }
      if (!failed.empty()) {
        const std::string what =
            !results.Has(panel.measure, row)
                ? failure
                : absl::StrCat("failed: ", failed.front(),
                               failed.size() > 1 ? " ..." : "");
        svg.Text(panel.left + kPanelWidth - 4, y + 4, what, "end", kFaint,
                 "font-size='10' font-style='italic' paint-order='stroke' "
                 "stroke='#ffffff' stroke-width='3'");
      }
    }
  }
}

}  // namespace

std::string MakePlot(const Results& results, const std::string& caption) {
  const std::vector<Ink> inks = Inks(results);
  const double means_top = kHead + 22;
  const double means_bottom =
      means_top + kBar * static_cast<double>(results.columns().size());
  const double rows_top = means_bottom + kAxis;
  const double rows_bottom =
      rows_top + kRow * static_cast<double>(results.rows().size());
  const double height = rows_bottom + kAxis + kFoot;

  Svg svg;
  svg.Raw(absl::StrFormat(
      "<svg xmlns='http://www.w3.org/2000/svg' width='%.0f' height='%.0f' "
      "viewBox='0 0 %.0f %.0f' font-family='DejaVu Sans, Verdana, sans-serif' "
      "font-size='12'>\n",
      kWidth, height, kWidth, height));
  svg.Rectangle(0, 0, kWidth, height, "#ffffff");
  svg.Text(24, 32, "Alcove and its peers, row by row", "start", kInk,
           "font-size='19' font-weight='bold'");
  svg.Text(24, 52, "Ratio to the best peer of each row. Left is better.",
           "start", kFaint);

  for (const Panel& panel : kPanels) {
    svg.Text(panel.left, means_top - 8, panel.title, "start", kInk,
             "font-size='14' font-weight='bold'");
  }
  svg.Text(kLabelsEnd, means_top - 8, "geometric mean", "end", kFaint);
  for (size_t row = 0; row < results.rows().size(); row += 2) {
    svg.Rectangle(10, rows_top + kRow * static_cast<double>(row), kWidth - 20,
                  kRow, "#f6f8fa");
  }
  for (const Panel& panel : kPanels) {
    Grid(svg, panel, means_top, means_bottom);
    Grid(svg, panel, rows_top, rows_bottom);
    AxisLabels(svg, panel, rows_top - 8);
    AxisLabels(svg, panel, rows_bottom + 16);
  }
  Means(svg, results, inks, means_top);
  Rows(svg, results, inks, rows_top);

  // The legend again below, for the rows are many.
  double x = 24;
  const double y = rows_bottom + 40;
  for (size_t column = 0; column < results.columns().size(); ++column) {
    const Ink& ink = inks[column];
    svg.Raw(absl::StrFormat(
        "<circle cx='%.1f' cy='%.1f' r='%s' fill='%s' stroke='%s' "
        "stroke-width='1.6'/>\n",
        x, y - 4, ink.ours && !ink.ring ? "5.5" : "4",
        ink.ring ? "#ffffff" : ink.color, ink.color));
    const std::string& name = results.columns()[column].name;
    svg.Text(x + 10, y, name, "start", kInk);
    x += 34 + 7.4 * static_cast<double>(name.size());
  }
  svg.Text(24, y + 24, caption, "start", kFaint, "font-size='11'");
  svg.Raw("</svg>\n");
  return svg.text();
}

}  // namespace bench
