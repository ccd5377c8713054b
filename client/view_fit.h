#pragma once

#include "common/image.h"

#include <optional>

namespace latentdesk {

/// Where the picture lies in the window, which has two units: pixels of its output, and points, by which the
/// system places it and tells of the pointer. On displays of high density a point is several pixels.
class ViewFit {
 public:
  struct Point {
    int x = 0, y = 0;
    bool operator==(const Point&) const = default;
  };
  struct Rectangle {
    int x = 0, y = 0, width = 0, height = 0;
    bool operator==(const Rectangle&) const = default;
  };

  ViewFit() = default;
  /// As large as fits, in the middle, keeping the aspect. All sizes are above 0.
  ViewFit(Size picture, Size output, Size points);

  /// In pixels of the output; empty before there is a picture.
  Rectangle target() const { return target_; }
  /// Each pixel of the picture is so many of the output.
  double factor() const { return factor_; }
  /// Each pixel of the picture is so many points.
  double points_per_picture_pixel() const;

  /// The picture's pixel under a place given in points, which may lie beside the picture, as in a drag: the
  /// nearest one then. (0, 0) without a picture.
  Point to_picture(Point points) const;
  bool contains(Point points) const;
  /// Where the upper left corner of a picture's pixel is, in pixels of the output.
  Point to_output(Point pixel) const;

 private:
  double pixels_per_point_x() const;
  double pixels_per_point_y() const;

  Size picture_;
  Size output_;
  Size points_;
  double factor_ = 1;
  Rectangle target_;
};

}  // namespace latentdesk
