//! The refusals of the Directory API, with the texts that clients have learnt to recognise.
//!
//! Sources: "Directory API: Troubleshoot error codes", "Directory API: Limits and quotas", "Google Cloud APIs:
//! Errors", and the texts which users of GAM and of Google's client libraries quote in public issues.

use http::{StatusCode, header};
use serde_json::{Value, json};

use super::ApiError;

const REALM: &str = r#"Bearer realm="https://accounts.google.com/""#;
const SERVICE: &str = "admin.googleapis.com";

/// Which quota was exceeded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaMetric {
    /// Every call: `Queries per minute per user`.
    Queries,
    /// Changes of ChromeOS devices: `Write requests for Chrome Devices per minute per user`.
    ChromeDeviceWrites,
}

impl ApiError {
    /// 401: the call carried no token.
    #[must_use]
    pub fn login_required() -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "required", "Login Required.")
            .at("header", "Authorization")
            .with_rpc_status("UNAUTHENTICATED", vec![error_info("CREDENTIALS_MISSING")])
            .with_header(header::WWW_AUTHENTICATE, REALM)
    }

    /// 401: the token is unknown, expired or revoked.
    #[must_use]
    pub fn invalid_credentials() -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            "authError",
            "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other \
             valid authentication credential. See \
             https://developers.google.com/identity/sign-in/web/devconsole-project.",
        )
        .with_item_message("Invalid Credentials")
        .at("header", "Authorization")
        .with_rpc_status("UNAUTHENTICATED", vec![error_info("ACCESS_TOKEN_EXPIRED")])
        .with_header(header::WWW_AUTHENTICATE, &format!("{REALM}, error=\"invalid_token\""))
    }

    /// 403: the token has none of the scopes that the method accepts.
    #[must_use]
    pub fn insufficient_scopes(accepted: &[&str]) -> Self {
        let challenge = format!(
            "{REALM}, error=\"insufficient_scope\", scope=\"{}\"",
            accepted.join(" ")
        );
        Self::new(
            StatusCode::FORBIDDEN,
            "insufficientPermissions",
            "Request had insufficient authentication scopes.",
        )
        .with_item_message("Insufficient Permission")
        .with_rpc_status(
            "PERMISSION_DENIED",
            vec![error_info("ACCESS_TOKEN_SCOPE_INSUFFICIENT")],
        )
        .with_header(header::WWW_AUTHENTICATE, &challenge)
    }

    /// 403: the account may not do this: no admin privilege, another customer, or a service account that acts
    /// for nobody and holds no admin role.
    #[must_use]
    pub fn forbidden() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "forbidden",
            "Not Authorized to access this resource/api",
        )
    }

    /// 403: the Admin SDK API is off in the project.
    #[must_use]
    pub fn access_not_configured(project: &str) -> Self {
        let page = format!(
            "https://console.developers.google.com/apis/api/admin.googleapis.com/overview?project={project}"
        );
        Self::new(
            StatusCode::FORBIDDEN,
            "accessNotConfigured",
            format!(
                "Admin SDK API has not been used in project {project} before or it is disabled. Enable it by \
                 visiting {page} then retry. If you enabled this API recently, wait a few minutes for the action \
                 to propagate to our systems and retry."
            ),
        )
        .in_domain("usageLimits")
        .with_help("https://console.developers.google.com")
        .with_rpc_status(
            "PERMISSION_DENIED",
            vec![json!({
                "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                "reason": "SERVICE_DISABLED",
                "domain": "googleapis.com",
                "metadata": {"service": SERVICE, "consumer": format!("projects/{project}")},
            })],
        )
    }

    /// 403: the administrator has switched off API access for the domain.
    #[must_use]
    pub fn domain_cannot_use_apis() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "domainCannotUseApis",
            "Domain cannot use apis.",
        )
    }

    /// 404: no such entity in the customer.
    #[must_use]
    pub fn not_found(id: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "notFound",
            format!("Resource Not Found: {id}"),
        )
    }

    /// 404: the customer ID is well formed but not known.
    #[must_use]
    pub fn customer_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "Not Found")
    }

    /// 404: no organisational unit has this path or id.
    #[must_use]
    pub fn org_unit_not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "notFound", "Org unit not found")
    }

    /// 400 `invalid`: `Invalid Input: <what>`, used for page tokens, org units and bodies.
    #[must_use]
    pub fn invalid_input(what: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "invalid",
            format!("Invalid Input: {what}"),
        )
    }

    /// 400 `invalidParameter` of one query parameter, with a message of its own.
    #[must_use]
    pub fn invalid_parameter(parameter: &str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalidParameter", message).at("parameter", parameter)
    }

    /// 400: a number is outside its range.
    #[must_use]
    pub fn out_of_range(parameter: &str, value: &str, minimum: u32, maximum: u32) -> Self {
        let text =
            format!("Invalid value '{value}'. Values must be within the range: [{minimum}, {maximum}]");
        Self::invalid_parameter(parameter, text)
    }

    /// 400: a query parameter is not a word of its list.
    #[must_use]
    pub fn not_one_of(parameter: &str, value: &str, allowed: &[&str]) -> Self {
        let text = format!(
            "Invalid string value: '{value}'. Allowed values: [{}]",
            allowed.join(", ")
        );
        Self::invalid_parameter(parameter, text)
    }

    /// 400 `required`: a parameter is missing.
    #[must_use]
    pub fn required_parameter(parameter: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "required",
            format!("Required parameter: {parameter}"),
        )
        .at("parameter", parameter)
    }

    /// 400 `badRequest` / `INVALID_ARGUMENT`: the body of a call is wrong.
    #[must_use]
    pub fn invalid_argument(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "badRequest", message)
            .with_rpc_status("INVALID_ARGUMENT", Vec::new())
    }

    /// 400 `parseError`: the body is not JSON.
    #[must_use]
    pub fn parse_error() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "parseError", "Parse Error")
    }

    /// 412: the device is in a state that does not allow the change (`Illegal device state transition.`,
    /// `Delinquent account.`).
    #[must_use]
    pub fn condition_not_met(message: &str) -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "conditionNotMet", message).at("header", "If-Match")
    }

    /// 409: the entity exists already.
    #[must_use]
    pub fn duplicate() -> Self {
        Self::new(StatusCode::CONFLICT, "duplicate", "Entity already exists.")
    }

    /// 403 `userRateLimitExceeded`: the per-user quota in its classic words.
    #[must_use]
    pub fn user_rate_limited(metric: QuotaMetric, project_number: &str) -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "userRateLimitExceeded",
            quota_text(metric, project_number),
        )
        .in_domain("usageLimits")
    }

    /// 403 or 429 `rateLimitExceeded`: the per-user quota in the words of the newer front end.
    #[must_use]
    pub fn rate_limited(status: StatusCode, metric: QuotaMetric, project_number: &str) -> Self {
        Self::new(status, "rateLimitExceeded", quota_text(metric, project_number))
            .in_domain("usageLimits")
            .with_rpc_status(
                "RESOURCE_EXHAUSTED",
                vec![json!({
                    "@type": "type.googleapis.com/google.rpc.ErrorInfo",
                    "reason": "RATE_LIMIT_EXCEEDED",
                    "domain": "googleapis.com",
                    "metadata": {"service": SERVICE, "consumer": format!("projects/{project_number}")},
                })],
            )
    }

    /// 429 `rateLimitExceeded`: too many calls of the whole account at the same time.
    #[must_use]
    pub fn too_many_concurrent() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "rateLimitExceeded",
            "Too many concurrent requests for this account. Please try again later.",
        )
        .in_domain("usageLimits")
        .with_rpc_status("RESOURCE_EXHAUSTED", Vec::new())
    }

    /// 403 `quotaExceeded`: too many calls of one operation at the same time.
    #[must_use]
    pub fn quota_exceeded() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "quotaExceeded",
            "Quota exceeded for the current request",
        )
        .in_domain("usageLimits")
    }

    /// 403 `dailyLimitExceeded`: the daily quota of the project is used up.
    #[must_use]
    pub fn daily_limit_exceeded() -> Self {
        Self::new(
            StatusCode::FORBIDDEN,
            "dailyLimitExceeded",
            "Daily Limit Exceeded",
        )
        .in_domain("usageLimits")
    }

    /// 500 `backendError`.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "backendError",
            "Internal error encountered.",
        )
        .with_rpc_status("INTERNAL", Vec::new())
    }

    /// 503 `backendError`: an outage, a walk older than an hour, an empty `pageToken`, or a service account that
    /// calls for nobody.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "backendError",
            "Service unavailable. Please try again",
        )
        .with_rpc_status("UNAVAILABLE", Vec::new())
    }

    /// 504: the backend did not answer in time.
    #[must_use]
    pub fn deadline_exceeded() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            "gatewayTimeout",
            "Deadline expired before operation could complete.",
        )
        .with_rpc_status("DEADLINE_EXCEEDED", Vec::new())
    }

    /// 501: a method that Google has and this simulator does not play.
    #[must_use]
    pub fn not_simulated(method: &str) -> Self {
        Self::new(
            StatusCode::NOT_IMPLEMENTED,
            "notImplemented",
            format!("{method} is not simulated; nothing was changed."),
        )
        .with_rpc_status("UNIMPLEMENTED", Vec::new())
    }
}

fn quota_text(metric: QuotaMetric, project_number: &str) -> String {
    let (metric, limit) = match metric {
        QuotaMetric::Queries => ("Queries", "Queries per minute per user"),
        QuotaMetric::ChromeDeviceWrites => (
            "Write requests for Chrome Devices",
            "Write requests for Chrome Devices per minute per user",
        ),
    };
    format!(
        "Quota exceeded for quota metric '{metric}' and limit '{limit}' of service '{SERVICE}' for consumer \
         'project_number:{project_number}'."
    )
}

fn error_info(reason: &str) -> Value {
    json!({
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": reason,
        "domain": "googleapis.com",
        "metadata": {"service": SERVICE},
    })
}
