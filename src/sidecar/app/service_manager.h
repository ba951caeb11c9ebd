// Tells the service manager that started us (systemd, Type=notify) how far we are.
#pragma once

#include <string_view>

namespace visage::sidecar {

// "READY=1", "STOPPING=1", "STATUS=…" (sd_notify(3)); does nothing when nobody asked to be told. The protocol
// is one datagram, for which no library is needed.
void tell_service_manager(std::string_view state);

}  // namespace visage::sidecar
