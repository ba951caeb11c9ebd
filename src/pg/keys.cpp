#include "pg/keys.h"

#include <openssl/crypto.h>
#include <sys/mman.h>

#include <atomic>

#include "core/base/secret.h"
#include "pg/boundary.h"
#include "pg/key_provider.h"
#include "pg/settings.h"
#include "pg/shared.h"

namespace visage::pg {
namespace {

// A reload reads into the staging place and, when it found a new version, copies that to the next slot and
// switches, so that readers need no lock. A reader that is in the middle of a call keeps its slot: it would
// have to outlast several reloads, each with a new version, to see it overwritten. The region is our own
// mapping, not part of PostgreSQL's: it can be locked and excluded from dumps by itself, and it outlives a
// crash restart of the backends, after which a command provider need not be run again.
struct KeyRegion {
  static constexpr uint32_t kSlots = 4;

  std::atomic<uint32_t> active;
  keys::KeyRing slots[kSlots];
  keys::KeyRing staging;
};

KeyRegion* region = nullptr;

const KeyProvider* const kProviders[] = {&kFileKeyProvider, &kCommandKeyProvider};

struct ProviderOutput {
  char bytes[keys::kMaxProviderOutput];
};

void wipe_at_exit(int, Datum) {
  // Only the postmaster wipes: its children share the mapping.
  if (!IsUnderPostmaster && region != nullptr) wipe(region, sizeof *region);
}

bool is_set(const char* setting) {
  return setting != nullptr && setting[0] != '\0';
}

// Reads one custody. On a fault raises at `elevel`; returns false when that is below ERROR.
bool read_custody(const char* name, const char* setting, keys::RootSet& out, int elevel) {
  for (const KeyProvider* provider : kProviders) {
    const size_t length = strlen(provider->scheme);
    if (strncmp(setting, provider->scheme, length) != 0 || setting[length] != ':') continue;
    ProviderOutput output;
    const int size = provider->read(name, setting + length + 1, output.bytes, sizeof output.bytes, elevel);
    if (size < 0) return false;
    const Status status = guarded([&] {
      return keys::parse_roots(engine(), {output.bytes, static_cast<size_t>(size)}, out);
    });
    wipe(&output, sizeof output);
    if (!status.ok())
      ereport(elevel, (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("%s: %s", name, status.message),
                       errhint("A provider prints one line a key: <version> <at least 64 hex digits>. "
                               "Make one with: echo \"1 $(openssl rand -hex 32)\"")));
    return status.ok();
  }
  ereport(elevel,
          (errcode(ERRCODE_CONFIG_FILE_ERROR), errmsg("%s: no such provider: \"%.32s\"", name, setting),
           errhint("Use file:<path> or command:<argv>.")));
  return false;
}

bool read_ring(keys::KeyRing& ring, int elevel) {
  const bool split = is_set(settings::transform_key_provider);
  if (!read_custody("visage.key_provider", settings::key_provider, ring.envelope, elevel)) return false;
  // Without split custody both roots are the same bytes; their HKDF labels keep all derived keys apart.
  if (!split) {
    ring.transform = ring.envelope;
    return true;
  }
  return read_custody("visage.transform_key_provider", settings::transform_key_provider, ring.transform,
                      elevel);
}

bool same_root(const keys::Root& a, const keys::Root* b) {
  return b != nullptr && a.size == b->size && CRYPTO_memcmp(a.bytes, b->bytes, a.size) == 0;
}

// Raises when a reload would drop or change a loaded version: rows may depend on it.
void check_nothing_lost(const char* custody, const keys::RootSet& before, const keys::RootSet& after) {
  for (uint32_t i = 0; i < before.count; ++i)
    if (!same_root(before.roots[i], after.find(before.roots[i].version)))
      ereport(ERROR,
              (errcode(ERRCODE_OBJECT_IN_USE),
               errmsg("%s key version %u is missing from the provider or has changed", custody,
                      before.roots[i].version),
               errdetail("Nothing was reloaded."),
               errhint("A loaded version can only go away with a restart; SELECT * FROM visage.keys shows "
                       "what depends on it.")));
}

}  // namespace

void keys_load_at_start() {
  void* memory = mmap(nullptr, sizeof(KeyRegion), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) ereport(FATAL, (errmsg("could not map memory for keys: %m")));
  if (mlock(memory, sizeof(KeyRegion)) != 0)
    ereport(FATAL,
            (errmsg("could not lock the memory that holds keys: %m"),
             errhint("Raise the locked-memory limit of the server: LimitMEMLOCK= in its systemd unit, or "
                     "ulimit -l, to at least 64 kB.")));
  if (madvise(memory, sizeof(KeyRegion), MADV_DONTDUMP) != 0)
    ereport(FATAL, (errmsg("could not exclude keys from core dumps: %m")));
  region = new (memory) KeyRegion{};
  on_proc_exit(wipe_at_exit, 0);
  if (!is_set(settings::key_provider)) {
    ereport(LOG, (errmsg("visage.key_provider is not set: no face can be registered or verified"),
                  errhint("Set it in postgresql.conf and restart.")));
    return;
  }
  read_ring(region->slots[0], FATAL);
}

const keys::KeyRing& key_ring() {
  if (region == nullptr)
    ereport(
        ERROR,
        (errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE), errmsg("pg_visage is not preloaded"),
         errhint("Add pg_visage to shared_preload_libraries in postgresql.conf and restart the server.")));
  const keys::KeyRing& ring = region->slots[region->active.load(std::memory_order_acquire)];
  if (ring.envelope.count == 0)
    ereport(ERROR,
            (errcode(ERRCODE_VISAGE_NOT_CONFIGURED), errmsg("visage.key_provider is not set"),
             errhint("Set visage.key_provider = 'file:<path>' or 'command:<argv>' in postgresql.conf and "
                     "restart the server.")));
  return ring;
}

crypto::Engine& engine() {
  static crypto::Engine* instance = nullptr;
  if (instance == nullptr) {
    const Status status = guarded([&] {
      instance = crypto::Engine::create();
      return instance != nullptr
                 ? Status()
                 : Status::error(Code::kInternal, "libcrypto lacks AES-256-GCM, SM4-CTR or SM3");
    });
    raise_unless_ok(status, "could not start the crypto engine");
  }
  return *instance;
}

VISAGE_FUNCTION(visage_reload_keys) {
  key_ring();
  LWLockAcquire(shared_lock(SharedLock::kKeys), LW_EXCLUSIVE);
  const uint32_t active = region->active.load();
  const keys::KeyRing& before = region->slots[active];
  // A refused reload leaves what it read in staging, as protected as the slots, until the next reload.
  keys::KeyRing& after = region->staging;
  wipe(&after, sizeof after);
  read_ring(after, ERROR);
  check_nothing_lost("envelope", before.envelope, after.envelope);
  check_nothing_lost("transform", before.transform, after.transform);
  const int32 added = static_cast<int32>(
      after.envelope.count - before.envelope.count +
      (is_set(settings::transform_key_provider) ? after.transform.count - before.transform.count : 0));
  if (added > 0) {
    const uint32_t next = (active + 1) % KeyRegion::kSlots;
    region->slots[next] = after;
    region->active.store(next, std::memory_order_release);
  }
  wipe(&after, sizeof after);
  LWLockRelease(shared_lock(SharedLock::kKeys));
  PG_RETURN_INT32(added);
}

// loaded_keys() → (custody text, version bigint, newest boolean): what the ring holds, never its material.
VISAGE_FUNCTION(visage_loaded_keys) {
  const keys::KeyRing& ring = key_ring();
  InitMaterializedSRF(fcinfo, 0);
  auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
  const struct {
    const char* name;
    const keys::RootSet& roots;
  } custodies[] = {{"envelope", ring.envelope}, {"transform", ring.transform}};
  for (const auto& custody : custodies) {
    for (uint32_t i = 0; i < custody.roots.count; ++i) {
      Datum values[] = {CStringGetTextDatum(custody.name), Int64GetDatum(custody.roots.roots[i].version),
                        BoolGetDatum(i + 1 == custody.roots.count)};
      bool nulls[] = {false, false, false};
      tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
    }
  }
  return static_cast<Datum>(0);
}

}  // namespace visage::pg
