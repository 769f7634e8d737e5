// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"

struct MHD_Daemon;

namespace avow::provider {

/// What a service says of itself over HTTP: /healthz (200, or 503 and why) and /metrics (Prometheus). Nothing else is
/// there, nothing is changed, and what is asked is not read beyond the path. Thread-safe.
class Monitor {
 public:
  /// On an address such as 127.0.0.1:9464 or [::1]:9464; port 0 is any that is free. The problem in words.
  [[nodiscard]] static base::Result<std::unique_ptr<Monitor>, std::string> listen(const std::string& address);
  ~Monitor();
  Monitor(const Monitor&) = delete;
  Monitor& operator=(const Monitor&) = delete;

  [[nodiscard]] std::uint16_t port() const;

  /// From now on: `problem` is empty where all is well. Health ends by itself where nothing is said for so long.
  void tell(std::string metrics, std::string problem, std::uint64_t good_for_millis);

  struct Reply {
    unsigned status = 200;
    const char* type = "text/plain; charset=utf-8";
    std::string body;
  };
  /// To a method and a path.
  [[nodiscard]] Reply answer(std::string_view method, std::string_view path);

 private:
  Monitor() = default;
  struct Stop {
    void operator()(MHD_Daemon* daemon) const;
  };

  std::mutex mutex_;
  std::string metrics_;
  std::string problem_ = "starting";
  std::int64_t good_until_ = 0;               // milliseconds of the steady clock
  std::unique_ptr<MHD_Daemon, Stop> daemon_;  // last: it ends before what it reads
};

}  // namespace avow::provider
