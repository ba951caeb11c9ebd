// What a failed capture means to the caller.
#pragma once

#include "sidecar/capture/failure.h"
#include "sidecar/http/problem.h"

namespace visage::sidecar {

// `part` names the picture that failed, when a request has two.
http::Problem capture_problem(const capture::Failure& failure, const char* part);

}  // namespace visage::sidecar
