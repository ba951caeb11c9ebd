// What our background workers have in common: registered as the server starts, each serves visage.database,
// and is started anew by the postmaster when it ends.
#pragma once

namespace visage::pg {

// `function` is what this library exports for it; `name` is how views of the server call it.
void register_worker(const char* name, const char* function);

// The worker's first call: signals, the connection, and settings that a site has for its sessions and that a
// worker must not take over. A signal that is to be ignored is set so before.
void begin_worker(const char* name);
// Reads the settings again when it was told to. Ends the worker where it serves another database by now.
void follow_settings();
// Is visage.database another one than the one that the worker serves?
bool worker_moves();

}  // namespace visage::pg
