#include "client/view_fit.h"

#include <algorithm>
#include <cmath>

namespace latentdesk {

namespace {

// A window a little larger than the picture shows it pixel for pixel: a border is better than blurred text.
constexpr double kLargestBorder = 1.1;

double fit_factor(Size picture, Size output) {
  const double factor = std::min(static_cast<double>(output.width) / picture.width,
                                 static_cast<double>(output.height) / picture.height);
  return factor >= 1 && factor < kLargestBorder ? 1 : factor;
}

/// `place` in points; the picture takes up `target` points from `begin` on. Both ends of a side can be
/// reached at any scale, since corners and edges of a desktop do things.
int picture_pixel(int place, double begin, double target, int side) {
  const double pixel = (place - begin) * (side - 1) / std::max(target - 1, 1.0);
  return static_cast<int>(std::lround(std::clamp(pixel, 0.0, side - 1.0)));
}

}  // namespace

ViewFit::ViewFit(Size picture, Size output, Size points)
    : picture_(picture), output_(output), points_(points), factor_(fit_factor(picture, output)) {
  const int width = std::max(1, static_cast<int>(std::lround(picture.width * factor_)));
  const int height = std::max(1, static_cast<int>(std::lround(picture.height * factor_)));
  target_ = {(output.width - width) / 2, (output.height - height) / 2, width, height};
}

double ViewFit::pixels_per_point_x() const { return static_cast<double>(output_.width) / points_.width; }
double ViewFit::pixels_per_point_y() const { return static_cast<double>(output_.height) / points_.height; }

double ViewFit::points_per_picture_pixel() const {
  return target_.width == 0 ? 1 : factor_ / pixels_per_point_x();
}

ViewFit::Point ViewFit::to_picture(Point points) const {
  if (target_.width == 0) return {};
  const double x = pixels_per_point_x();
  const double y = pixels_per_point_y();
  return {picture_pixel(points.x, target_.x / x, target_.width / x, picture_.width),
          picture_pixel(points.y, target_.y / y, target_.height / y, picture_.height)};
}

bool ViewFit::contains(Point points) const {
  if (target_.width == 0) return false;
  const double x = (points.x + 0.5) * pixels_per_point_x() - target_.x;
  const double y = (points.y + 0.5) * pixels_per_point_y() - target_.y;
  return x >= 0 && y >= 0 && x < target_.width && y < target_.height;
}

ViewFit::Point ViewFit::to_output(Point pixel) const {
  return {target_.x + static_cast<int>(std::lround(pixel.x * factor_)),
          target_.y + static_cast<int>(std::lround(pixel.y * factor_))};
}

}  // namespace latentdesk
