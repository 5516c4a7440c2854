// Pictures of numbers, for people.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace lathe {

/// A line of a chart: its points (x, y), in the order of x.
struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;
};

/// The lines as a picture, an SVG document: `x_name` below the axis, names of the lines above. What
/// is not finite is left out; a line of very many points becomes one of means.
std::string line_chart(const std::string& x_name, const std::vector<Series>& series);

}  // namespace lathe
