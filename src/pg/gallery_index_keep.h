// The indexes that the index worker keeps: made, filled in small steps, followed, saved and thrown away.
// For the index worker alone.
#pragma once

#include "gallery_index/library.h"
#include "pg/gallery_index_shared.h"

namespace visage::pg {

// Loads the other shared object. False: there is none, or it is another build's; `why` says so.
bool load_index_library(char* why, Size size);

// What has the gallery's codes changed, and what is there to do? Call it now and then; reads tables.
void plan_indexes();
// One small step of what there is to do; false: nothing.
bool work_on_indexes();
// Answers all that is asked. Never raises.
void answer_requests();
// Those who were left by an earlier life of the worker are freed.
void clear_requests();

}  // namespace visage::pg
