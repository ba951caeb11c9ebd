// What the methods need from a frame's pixels.
#pragma once

#include "sidecar/liveness/observation.h"

namespace visage::liveness {

// Fills pixels, skin, background, grain and peaks; the latter four from `frame.mesh`, when faces > 0.
void look_at_pixels(const cv::Mat& picture, Observation& frame);

// How far the strongest periodic structure stands out of the spectrum around it, as a ratio of amplitudes:
// the dots of a print, the pixels of a screen, the moiré of both with the camera. About 4 when there is none.
float texture_peaks(const cv::Mat& picture, const capture::Mesh& mesh);

}  // namespace visage::liveness
