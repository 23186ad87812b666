//! `directory.users.get` and `directory.customers.get`.

use serde_json::json;

use crate::api::call::{Call, Reply};
use crate::api_error::ApiError;
use crate::random::Draw;
use crate::state::SimulatorState;
use crate::tenant::Tenant;

/// Answers `users.get`: by primary e-mail address or id, of the caller's own customer only.
pub(crate) fn user(state: &SimulatorState, call: &Call, customer: Option<&str>) -> Result<Reply, ApiError> {
    call.parameters
        .check_names(&["projection", "customFieldMask", "viewType"])?;
    let projections = [
        ("basic", ()),
        ("custom", ()),
        ("full", ()),
        ("BASIC", ()),
        ("CUSTOM", ()),
        ("FULL", ()),
    ];
    call.parameters.choice("projection", &projections)?;
    let views = [
        ("admin_view", ()),
        ("domain_public", ()),
        ("ADMIN_VIEW", ()),
        ("DOMAIN_PUBLIC", ()),
    ];
    call.parameters.choice("viewType", &views)?;
    let own = customer
        .and_then(|customer| state.find_tenant(customer))
        .ok_or_else(ApiError::forbidden)?;
    let key = call.route.owner.as_str();
    let Some(user) = own.find_user(key) else {
        let elsewhere = key
            .split_once('@')
            .is_some_and(|(_, domain)| !domain.eq_ignore_ascii_case(own.domain()));
        // The text names the parameter, not the account.
        return Err(if elsewhere {
            ApiError::forbidden()
        } else {
            ApiError::not_found("userKey")
        });
    };
    let draw = Draw::new(1).of(&user.id);
    let resource = json!({
        "kind": "admin#directory#user",
        "id": user.id,
        "etag": format!("\"{}/{}\"", draw.of("first").hex(16), draw.of("second").hex(11)),
        "primaryEmail": user.primary_email,
        "name": {
            "givenName": user.given_name,
            "familyName": user.family_name,
            "fullName": user.full_name(),
        },
        "isAdmin": user.is_admin,
        "isDelegatedAdmin": user.is_delegated_admin,
        "lastLoginTime": "2026-01-12T08:00:00.000Z",
        "creationTime": "2024-08-01T09:00:00.000Z",
        "agreedToTerms": user.agreed_to_terms,
        "suspended": user.suspended,
        "archived": user.archived,
        "changePasswordAtNextLogin": false,
        "ipWhitelisted": false,
        "emails": [{ "address": user.primary_email, "primary": true }],
        "customerId": user.customer_id,
        "orgUnitPath": user.org_unit_path,
        "isMailboxSetup": true,
        "isEnrolledIn2Sv": true,
        "isEnforcedIn2Sv": false,
        "includeInGlobalAddressList": true,
    });
    Reply::json(&call.mask()?.prune(&resource), call)
}

/// Answers `customers.get`.
pub(crate) fn customer(tenant: &Tenant, call: &Call) -> Result<Reply, ApiError> {
    call.parameters.check_names(&[])?;
    let draw = Draw::new(2).of(tenant.customer_id());
    let resource = json!({
        "kind": "admin#directory#customer",
        "id": tenant.customer_id(),
        "etag": format!("\"{}/{}\"", draw.of("first").hex(16), draw.of("second").hex(11)),
        "customerDomain": tenant.domain(),
        "alternateEmail": format!("office@{}", tenant.domain()),
        "customerCreationTime": "2019-08-01T09:00:00.000Z",
        "language": "en",
        "postalAddress": { "countryCode": "US", "organizationName": tenant.domain() },
    });
    Reply::json(&call.mask()?.prune(&resource), call)
}
