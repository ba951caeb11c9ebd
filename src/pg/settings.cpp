#include "pg/settings.h"

#include "core/audit/note.h"
#include "gallery_index/index.h"
#include "pg/pg.h"

namespace visage::pg::settings {

char* key_provider = nullptr;
char* transform_key_provider = nullptr;
char* institution = nullptr;
int clock_skew = 30;
int probe_max_age = 600;
int max_probes = 65536;
char* database = nullptr;
char* ledger_origin = nullptr;
int audit_timeout = 10000;
int max_attempt_counters = 65536;
bool keeper = true;
int keeper_interval = 60;
int gallery_memory = 0;
bool gallery_memory_locked = true;
int index_memory = 4 * 1024 * 1024;
int index_threads = 1;
constexpr gallery_index::Settings kIndexDefaults;
int index_beam = static_cast<int>(kIndexDefaults.beam_of_search);
int index_probed = static_cast<int>(kIndexDefaults.probed_permille);
int index_timeout = 200;

namespace {

int suite_value = static_cast<int>(crypto::Suite::kAes256Gcm);

const config_enum_entry kSuites[] = {
    {"aes-256-gcm", static_cast<int>(crypto::Suite::kAes256Gcm), false},
    {"sm4-ctr-hmac-sm3", static_cast<int>(crypto::Suite::kSm4CtrHmacSm3), false},
    {nullptr, 0, false},
};

constexpr int kBestKernels = -1;
int kernels_value = kBestKernels;

const config_enum_entry kKernels[] = {
    {"auto", kBestKernels, false},
    {"scalar", static_cast<int>(reference::Level::kScalar), false},
    {"avx2", static_cast<int>(reference::Level::kAvx2), false},
    {"avx512", static_cast<int>(reference::Level::kAvx512), false},
    {"neon", static_cast<int>(reference::Level::kNeon), false},
    {nullptr, 0, false},
};

int search_method_value = static_cast<int>(SearchMethod::kAuto);

const config_enum_entry kSearchMethods[] = {
    {"auto", static_cast<int>(SearchMethod::kAuto), false},
    {"exact", static_cast<int>(SearchMethod::kExact), false},
    {"table", static_cast<int>(SearchMethod::kTable), false},
    {"hnsw", static_cast<int>(SearchMethod::kHnsw), false},
    {"ivf", static_cast<int>(SearchMethod::kIvf), false},
    {nullptr, 0, false},
};

constexpr int kNoIndex = 0;
int gallery_index_value = kNoIndex;

const config_enum_entry kGalleryIndexes[] = {
    {"none", kNoIndex, false},
    {"hnsw", static_cast<int>(gallery_index::Kind::kHnsw), false},
    {"ivf", static_cast<int>(gallery_index::Kind::kIvf), false},
    {nullptr, 0, false},
};

bool check_kernels(int* value, void**, GucSource) {
  if (*value == kBestKernels || reference::kernels_of(static_cast<reference::Level>(*value)) != nullptr)
    return true;
  GUC_check_errdetail("This machine lacks the level.");
  return false;
}

bool check_origin(char** value, void**, GucSource) {
  if ((*value)[0] == '\0' || audit::valid_origin(*value)) return true;
  GUC_check_errdetail("At most %d bytes, without spaces, plus signs and control characters.",
                      static_cast<int>(audit::kMaxOriginLength));
  return false;
}

void define_postmaster_settings() {
  DefineCustomStringVariable(
      "visage.key_provider", "Where the envelope root keys come from: file:<path> or command:<argv>.",
      "A command is run once, at server start, and prints lines of \"<version> <hex>\".", &key_provider, "",
      PGC_POSTMASTER, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
  DefineCustomStringVariable(
      "visage.transform_key_provider",
      "Where the transform root keys come from; empty means visage.key_provider.",
      "Set it to split custody: neither holder alone can compare or invert a reference.",
      &transform_key_provider, "", PGC_POSTMASTER, GUC_SUPERUSER_ONLY, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.max_probes", "Probes that the replay memory can hold at one time.",
                          "A full memory refuses probes rather than forget one that could be replayed.",
                          &max_probes, 65536, 1024, 16 * 1024 * 1024, PGC_POSTMASTER, 0, nullptr, nullptr,
                          nullptr);
  DefineCustomStringVariable("visage.database", "Database whose ledger the audit writer keeps.",
                             "Flows run in this database alone.", &database, "postgres", PGC_SIGHUP, 0,
                             nullptr, nullptr, nullptr);
  DefineCustomStringVariable("visage.ledger_origin", "Name of the ledger when it is opened.",
                             "It stays its name for ever. Empty: made from the server's identity.",
                             &ledger_origin, "", PGC_POSTMASTER, 0, check_origin, nullptr, nullptr);
  DefineCustomIntVariable("visage.max_attempt_counters", "Counters of attempts that memory can hold.",
                          "Those in use stay; the others are read again from their table when needed.",
                          &max_attempt_counters, 65536, 1024, 16 * 1024 * 1024, PGC_POSTMASTER, 0, nullptr,
                          nullptr, nullptr);
  DefineCustomBoolVariable("visage.gallery_memory_locked", "Whether codes may only be in locked memory.",
                           "off: they may be swapped out, so swap must be off or encrypted.",
                           &gallery_memory_locked, true, PGC_POSTMASTER, GUC_SUPERUSER_ONLY, nullptr, nullptr,
                           nullptr);
  DefineCustomIntVariable(
      "visage.gallery_memory", "Memory for codes of galleries.",
      "152 MB hold a million references; it is locked as it is used. 0: searches read tables.",
      &gallery_memory, 256, 0, kMaxGalleryMemory, PGC_POSTMASTER, GUC_UNIT_MB, nullptr, nullptr, nullptr);
}

void define_index_settings() {
  DefineCustomEnumVariable("visage.gallery_index", "Which approximate index is kept of each gallery.",
                           "Searches ask it where visage.search_method says so.", &gallery_index_value,
                           kNoIndex, kGalleryIndexes, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.index_memory", "Memory for the indexes of all galleries together.",
                          "A gallery whose index does not fit is searched exactly.", &index_memory,
                          4 * 1024 * 1024, 64, MAX_KILOBYTES, PGC_SIGHUP, GUC_UNIT_KB, nullptr, nullptr,
                          nullptr);
  DefineCustomIntVariable("visage.index_threads", "Threads that add codes to an index.",
                          "Of the index worker as it starts.", &index_threads, 1, 1, 256, PGC_SIGHUP, 0,
                          nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.index_beam", "Codes that a search of an HNSW index keeps in sight.",
                          "More find more, and take longer.", &index_beam, index_beam, 8,
                          static_cast<int>(gallery_index::kMaxBeam), PGC_SIGHUP, 0, nullptr, nullptr,
                          nullptr);
  DefineCustomIntVariable("visage.index_probed",
                          "Thousandths of its lists that a search of an IVF index reads.",
                          "More find more, and take longer.", &index_probed, index_probed, 1, 1000,
                          PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.index_timeout", "How long a search waits for an index.",
                          "Then it is exact.", &index_timeout, 200, 1, 60000, PGC_SUSET, GUC_UNIT_MS, nullptr,
                          nullptr, nullptr);
}

}  // namespace

void init() {
  // A server setting can only be defined while the server starts; a session that loads the library by itself
  // gets the others, and every function that needs keys says what is missing.
  if (process_shared_preload_libraries_in_progress) define_postmaster_settings();
  DefineCustomEnumVariable("visage.suite", "Algorithms that seal new envelopes.", nullptr, &suite_value,
                           static_cast<int>(crypto::Suite::kAes256Gcm), kSuites, PGC_SUSET, 0, nullptr,
                           nullptr, nullptr);
  DefineCustomEnumVariable("visage.kernels", "Instruction set of the comparison.",
                           "All give the same bits; for testing and for measuring.", &kernels_value,
                           kBestKernels, kKernels, PGC_SUSET, 0, check_kernels, nullptr, nullptr);
  DefineCustomStringVariable("visage.institution", "Institution that the session acts for.",
                             "The calling role must have been granted it: visage.grant_institution().",
                             &institution, "default", PGC_USERSET, 0, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.clock_skew", "How far a capture source's clock may be ahead.", nullptr,
                          &clock_skew, 30, 0, 3600, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.probe_max_age", "Age at which every probe has expired.",
                          "A probe's own expiry applies when it is earlier.", &probe_max_age, 600, 1, 86400,
                          PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
  DefineCustomIntVariable("visage.audit_timeout", "How long a verdict waits for its record.",
                          "Then the call fails; there is no verdict without a record.", &audit_timeout, 10000,
                          10, 3600000, PGC_USERSET, GUC_UNIT_MS, nullptr, nullptr, nullptr);
  DefineCustomBoolVariable("visage.keeper", "Whether the keeper erases and re-wraps by itself.",
                           "visage.keep_house() does a round by hand.", &keeper, true, PGC_SIGHUP, 0, nullptr,
                           nullptr, nullptr);
  DefineCustomIntVariable("visage.keeper_interval", "Time between the keeper's rounds.", nullptr,
                          &keeper_interval, 60, 1, 86400, PGC_SIGHUP, GUC_UNIT_S, nullptr, nullptr, nullptr);
  DefineCustomEnumVariable("visage.search_method", "How candidates of a search are found.",
                           "table reads every code from its table: for tests and for comparing with it.",
                           &search_method_value, static_cast<int>(SearchMethod::kAuto), kSearchMethods,
                           PGC_SUSET, 0, nullptr, nullptr, nullptr);
  define_index_settings();
  MarkGUCPrefixReserved("visage");
}

bool searches_index(gallery_index::Kind& kind) {
  const SearchMethod method = search_method();
  kind = method == SearchMethod::kIvf ? gallery_index::Kind::kIvf : gallery_index::Kind::kHnsw;
  return method == SearchMethod::kHnsw || method == SearchMethod::kIvf;
}

bool keeps_index(gallery_index::Kind& kind) {
  if (gallery_index_value == kNoIndex) return false;
  kind = static_cast<gallery_index::Kind>(gallery_index_value);
  return true;
}

crypto::Suite suite() {
  return static_cast<crypto::Suite>(suite_value);
}

SearchMethod search_method() {
  return static_cast<SearchMethod>(search_method_value);
}

const reference::Kernels& kernels() {
  return kernels_value == kBestKernels ? reference::best_kernels()
                                       : *reference::kernels_of(static_cast<reference::Level>(kernels_value));
}

}  // namespace visage::pg::settings
