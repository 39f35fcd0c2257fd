#include "api/problem.hpp"

#include "api/json_text.hpp"

namespace varde::api {

using core::Errc;

std::string_view reason_of(int status) {
    switch (status) {
        case 200: return "OK";
        case 201: return "Created";
        case 204: return "No Content";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 412: return "Precondition Failed";
        case 413: return "Content Too Large";
        case 415: return "Unsupported Media Type";
        case 422: return "Unprocessable Content";
        case 431: return "Request Header Fields Too Large";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Internal Server Error";
    }
}

Response problem(int status, std::string_view detail, std::string_view field) {
    Response response;
    response.status = status;
    response.content_type = "application/problem+json";
    response.body = "{";
    append_member(response.body, "type", "about:blank");
    append_member(response.body, "title", reason_of(status));
    append_key(response.body, "status");
    response.body += std::to_string(status);
    append_member(response.body, "detail", detail);
    if (!field.empty()) append_member(response.body, "field", field);
    response.body += '}';
    if (status == 503) response.headers.emplace_back("Retry-After", "1");
    if (status == 401) response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

Response problem_of(const core::Error& error) {
    switch (error.code) {
        case Errc::invalid_argument: return problem(400, error.context);
        case Errc::unauthorized: return problem(401, error.context);
        case Errc::forbidden: return problem(403, error.context);
        case Errc::not_found: return problem(404, error.context);
        case Errc::conflict: return problem(409, error.context);
        case Errc::too_large: return problem(413, error.context);
        // What exactly the database said is for the log.
        case Errc::database_unavailable: return problem(503, "the database is not available; try again later");
        case Errc::overloaded: return problem(503, error.context);
        case Errc::stopping: return problem(503, "the host is going down");
        default: return problem(500, "internal error; the host's log says more");
    }
}

Response json(std::string body, int status) {
    Response response;
    response.status = status;
    response.body = std::move(body);
    return response;
}

}  // namespace varde::api
