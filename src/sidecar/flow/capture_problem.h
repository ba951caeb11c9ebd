// What a failed capture means to the caller, and one that was not begun.
#pragma once

#include "sidecar/capture/failure.h"
#include "sidecar/http/problem.h"

namespace visage::sidecar {

// `part` names the picture that failed, when a request has two.
http::Problem capture_problem(const capture::Failure& failure, const char* part);
http::Problem busy();
http::Problem no_models();

}  // namespace visage::sidecar
