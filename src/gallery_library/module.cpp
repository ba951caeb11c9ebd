// pg_visage_gallery.so: gallery_index with FAISS, as the server loads libraries. Only the index worker does.
#include "gallery_index/library.h"
#include "pg/pg.h"

extern "C" {
__attribute__((visibility("default"))) const Pg_magic_struct* Pg_magic_func(void);
__attribute__((visibility("default"))) const void* visage_gallery_library(void);

PG_MODULE_MAGIC;

const void* visage_gallery_library(void) {
  return &visage::gallery_index::library();
}
}
