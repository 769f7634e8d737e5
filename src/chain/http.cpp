// SPDX-License-Identifier: Apache-2.0
#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/check.hpp"
#include "chain/endpoint.hpp"
#include "chain/sigpipe.hpp"
#include "chain/url.hpp"

namespace avow::chain {
namespace {

constexpr std::size_t kMostHeaderBytes = std::size_t{64} << 10;
// A header line that does not end: CURLE_TOO_LARGE, which libcurl has from 8.6 on, and CURLE_OUT_OF_MEMORY before.
constexpr int kLineTooLong = 100;

struct CurlDeleter {
  void operator()(CURL* handle) const noexcept {
    const SigpipeGuard guard;  // TLS says farewell
    curl_easy_cleanup(handle);
  }
  void operator()(curl_slist* list) const noexcept { curl_slist_free_all(list); }
};

using Headers = std::unique_ptr<curl_slist, CurlDeleter>;

Headers request_headers() {
  curl_slist* list = nullptr;
  // The last one keeps libcurl from waiting for a server's "100 Continue".
  for (const char* line :
       {"Content-Type: application/json", "Accept: application/json", "Accept-Encoding: identity", "Expect:"}) {
    list = curl_slist_append(list, line);
  }
  return Headers(list);
}

// A reply as it comes. Sizes that it announces count for nothing: what came is counted, headers of any kind included.
class Reception {
 public:
  explicit Reception(std::size_t most_bytes) : most_bytes_(most_bytes) {}

  [[nodiscard]] bool is_too_large() const { return is_too_large_; }
  [[nodiscard]] std::string& body() { return body_; }

  // Called by libcurl, which gives up the exchange where another number than that of the bytes is returned.
  static std::size_t take_header(const char* /*bytes*/, std::size_t size, std::size_t count, void* to) noexcept {
    auto& reception = *static_cast<Reception*>(to);
    reception.header_bytes_ += size * count;
    return reception.count(size * count, reception.header_bytes_ <= kMostHeaderBytes);
  }
  static std::size_t take_body(const char* bytes, std::size_t size, std::size_t count, void* to) noexcept {
    auto& reception = *static_cast<Reception*>(to);
    const std::size_t taken = reception.count(size * count, true);
    reception.body_.append(bytes, taken);
    return taken;
  }

 private:
  std::size_t count(std::size_t size, bool fits) noexcept {
    is_too_large_ = !fits || size > most_bytes_ - bytes_;
    if (is_too_large_) return 0;
    bytes_ += size;
    return size;
  }

  std::size_t most_bytes_;
  std::size_t bytes_ = 0;
  std::size_t header_bytes_ = 0;
  bool is_too_large_ = false;
  std::string body_;
};

const char* reason(CURLcode code) {
  switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
      return "its name is not known";
    case CURLE_COULDNT_CONNECT:
      return "it cannot be reached";
    case CURLE_OPERATION_TIMEDOUT:
      return "no whole reply came in time";
    case CURLE_SEND_ERROR:
      return "the request could not be sent";
    case CURLE_RECV_ERROR:
    case CURLE_GOT_NOTHING:
    case CURLE_PARTIAL_FILE:
      return "the connection ended before the reply did";
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_PEER_FAILED_VERIFICATION:
      return "its certificate is not trusted, or it does not speak TLS";
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
      return "it does not speak HTTP";
    default:
      return curl_easy_strerror(code);  // a fixed text, without the address
  }
}

class HttpEndpoint final : public Endpoint {
 public:
  HttpEndpoint(Url url, const HttpSettings& settings)
      : url_(std::move(url)), settings_(settings), headers_(request_headers()), handle_(curl_easy_init()) {
    AVOW_CHECK(handle_ != nullptr);
    set(CURLOPT_URL, url_.whole.c_str());
    set(CURLOPT_HTTPHEADER, headers_.get());
    set(CURLOPT_POST, 1L);
    refuse_all_but_the_node();
    set(CURLOPT_NOSIGNAL, 1L);  // no alarms of libcurl's; SigpipeGuard does the rest
    // Neither may be zero, which is no limit.
    set(CURLOPT_TIMEOUT_MS, std::max<long>(settings.total_timeout.count(), 1));
    set(CURLOPT_CONNECTTIMEOUT_MS, std::max<long>(settings.connect_timeout.count(), 1));
    set(CURLOPT_TCP_NODELAY, 1L);  // or each request waits for the node's delayed acknowledgement, 40 ms
    set(CURLOPT_HEADERFUNCTION, &Reception::take_header);
    set(CURLOPT_WRITEFUNCTION, &Reception::take_body);
  }

  [[nodiscard]] const std::string& name() const override { return url_.origin; }

  Result<HttpReply> post(const std::string& body, std::size_t most_reply_bytes) override {
    Reception reception(most_reply_bytes);
    set(CURLOPT_POSTFIELDS, body.c_str());
    set(CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body.size()));
    set(CURLOPT_HEADERDATA, &reception);
    set(CURLOPT_WRITEDATA, &reception);
    const CURLcode code = perform();
    if (reception.is_too_large() || code == CURLE_OUT_OF_MEMORY || static_cast<int>(code) == kLineTooLong) {
      return fail(Cause::kReplySize,
                  fmt::format("{}: a reply of more than {} bytes, or of more than {} before its body", name(),
                              most_reply_bytes, kMostHeaderBytes));
    }
    if (code != CURLE_OK) {
      return fail(Cause::kTransport, fmt::format("{}: {}; is the node running?", name(), reason(code)));
    }
    long status = 0;
    curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
    return HttpReply{static_cast<int>(status), std::move(reception.body())};
  }

 private:
  template <typename T>
  void set(CURLoption option, T value) {
    AVOW_CHECK(curl_easy_setopt(handle_.get(), option, value) == CURLE_OK);
  }

  // Where requests go, and who may answer, is what the caller said, not a server nor the environment.
  void refuse_all_but_the_node() {
    set(CURLOPT_PROTOCOLS_STR, "http,https");
    set(CURLOPT_FOLLOWLOCATION, 0L);
    set(CURLOPT_PROXY, "");
    set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(CURLOPT_HTTP_CONTENT_DECODING, 0L);
    set(CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    set(CURLOPT_SSL_VERIFYPEER, 1L);
    set(CURLOPT_SSL_VERIFYHOST, 2L);
    if (!settings_.ca_file.empty()) set(CURLOPT_CAINFO, settings_.ca_file.c_str());
  }

  CURLcode perform() {
    const SigpipeGuard guard;
    return curl_easy_perform(handle_.get());
  }

  Url url_;
  HttpSettings settings_;
  Headers headers_;
  std::unique_ptr<CURL, CurlDeleter> handle_;
};

}  // namespace

Result<std::unique_ptr<Endpoint>> open_http(std::string_view url, const HttpSettings& settings) {
  static const bool kIsReady = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  if (!kIsReady) return fail(Cause::kTransport, "libcurl could not be set up; is there memory left?");
  auto parsed = parse_url(url);
  if (!parsed) return base::Err{parsed.error()};
  return std::unique_ptr<Endpoint>(std::make_unique<HttpEndpoint>(std::move(parsed).value(), settings));
}

}  // namespace avow::chain
