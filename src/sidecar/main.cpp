// visaged: turns pictures into sealed probes and asks PostgreSQL for the verdict.
#include <cstdio>
#include <cstring>

#include "sidecar/app/daemon.h"
#include "sidecar/app/harden.h"
#include "sidecar/app/quality_command.h"

int main(int argc, char** argv) {
  if (const visage::Status status = visage::sidecar::harden_process(); !status.ok()) {
    std::fprintf(stderr, "visaged: %s\n", status.message);
    return 1;
  }
  if (argc > 1 && std::strcmp(argv[1], "quality") == 0)
    return visage::sidecar::run_quality_command(argc - 1, argv + 1);
  visage::sidecar::Settings settings;
  int exit_code = 0;
  if (visage::sidecar::read_settings(argc, argv, settings, exit_code) == visage::sidecar::Start::kExit)
    return exit_code;
  return visage::sidecar::run_daemon(settings);
}
