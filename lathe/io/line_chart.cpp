#include "lathe/io/line_chart.h"

#include <algorithm>
#include <cmath>

#include "lathe/base/format.h"

namespace lathe {
namespace {

constexpr double width = 720, height = 360;
constexpr double left = 60, right = 20, top = 40, bottom = 50;  // margins
constexpr size_t most_points = 400;
constexpr const char* colours[] = {"#1f6fb4", "#d1622b", "#2d8a4e", "#8250a8"};

std::string escaped(const std::string& text) {
  std::string out;
  for (const char c : text)
    if (c == '<' || c == '&')
      out += c == '<' ? "&lt;" : "&amp;";
    else
      out += c;
  return out;
}

/// Points that can be drawn, in so many groups that each has a place of its own.
std::vector<std::pair<double, double>> drawable(const Series& series) {
  std::vector<std::pair<double, double>> points;
  for (const auto& [x, y] : series.points)
    if (std::isfinite(x) && std::isfinite(y)) points.emplace_back(x, y);
  if (points.size() <= most_points) return points;
  std::vector<std::pair<double, double>> means;
  for (size_t group = 0; group < most_points; ++group) {
    const size_t begin = group * points.size() / most_points;
    const size_t end = (group + 1) * points.size() / most_points;
    double x = 0, y = 0;
    for (size_t i = begin; i < end; ++i) x += points[i].first, y += points[i].second;
    means.emplace_back(x / static_cast<double>(end - begin), y / static_cast<double>(end - begin));
  }
  return means;
}

/// What an axis shows, and the distance of its marks: 1, 2 or 5 times a power of ten.
struct Axis {
  double low, high, mark;

  Axis(double least, double most) : low(least), high(most), mark(1) {
    if (!(high > low)) high = low + 1;
    const double rough = (high - low) / 6;
    const double power = std::pow(10, std::floor(std::log10(rough)));
    for (const double factor : {1.0, 2.0, 5.0, 10.0}) {
      mark = factor * power;
      if (mark >= rough) break;
    }
    low = std::floor(low / mark) * mark;
    high = std::ceil(high / mark) * mark;
  }
  double share(double value) const { return (value - low) / (high - low); }
};

struct Frame {
  Axis x, y;
  double at_x(double value) const { return left + x.share(value) * (width - left - right); }
  double at_y(double value) const {
    return height - bottom - y.share(value) * (height - top - bottom);
  }
};

std::string axes(const Frame& frame, const std::string& x_name) {
  std::string out;
  const auto count = [](const Axis& axis) {
    return std::llround((axis.high - axis.low) / axis.mark);
  };
  for (int64_t i = 0; i <= count(frame.y); ++i) {
    const double value = frame.y.low + static_cast<double>(i) * frame.y.mark;
    out += format(
        "<path d=\"M{:.1f} {:.1f}H{:.1f}\" stroke=\"#ddd\"/><text x=\"{:.1f}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{:.6g}</text>\n",
        left, frame.at_y(value), width - right, left - 8, frame.at_y(value) + 4, value);
  }
  for (int64_t i = 0; i <= count(frame.x); ++i) {
    const double value = frame.x.low + static_cast<double>(i) * frame.x.mark;
    out += format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{:.6g}</text>\n",
                  frame.at_x(value), height - bottom + 18, value);
  }
  return out + format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>\n",
                      (left + width - right) / 2, height - 10, escaped(x_name));
}

}  // namespace

std::string line_chart(const std::string& x_name, const std::vector<Series>& series) {
  std::vector<Series> lines;
  double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
  for (const Series& each : series) {
    lines.push_back({each.name, drawable(each)});
    for (const auto& [x, y] : lines.back().points) {
      low_x = std::min(low_x, x), high_x = std::max(high_x, x);
      low_y = std::min(low_y, y), high_y = std::max(high_y, y);
    }
  }
  if (!(low_x <= high_x)) low_x = high_x = low_y = high_y = 0;
  const Frame frame{Axis(low_x, high_x), Axis(low_y, high_y)};
  std::string out = format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" "
      "height=\"{1}\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      width, height);
  out += axes(frame, x_name);
  double name_at = left;
  for (size_t i = 0; i < lines.size(); ++i) {
    const char* colour = colours[i % std::size(colours)];
    std::string path, dots;
    for (const auto& [x, y] : lines[i].points) {
      path += format("{}{:.1f} {:.1f}", path.empty() ? "M" : "L", frame.at_x(x), frame.at_y(y));
      if (lines[i].points.size() <= 50)
        dots += format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>", frame.at_x(x),
                       frame.at_y(y), colour);
    }
    out += format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"1.5\"/>{}\n", path,
                  colour, dots);
    out += format("<text x=\"{:.1f}\" y=\"24\" fill=\"{}\">{}</text>\n", name_at, colour,
                  escaped(lines[i].name));
    name_at += 20 + 8 * static_cast<double>(lines[i].name.size());
  }
  return out + "</svg>\n";
}

}  // namespace lathe
