// side_by_side LEFT RIGHT OUT: one picture with two faces, for what must be refused at registration.
#include <cstdio>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: side_by_side LEFT RIGHT OUT\n");
    return 2;
  }
  const cv::Mat left = cv::imread(argv[1], cv::IMREAD_COLOR);
  cv::Mat right = cv::imread(argv[2], cv::IMREAD_COLOR);
  if (left.empty() || right.empty()) return 1;
  cv::resize(right, right, left.size());
  cv::Mat both;
  cv::hconcat(left, right, both);
  return cv::imwrite(argv[3], both) ? 0 : 1;
}
