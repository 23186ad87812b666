//! Control of accounts.

use std::sync::Arc;

use axum::extract::{Path, State};
use http::StatusCode;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::error::ControlError;
use super::extract::{ControlBody, ControlReply};
use crate::people::{Privileges, User};
use crate::state::SimulatorState;

/// A change of an account; what is left out stays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct UserPatch {
    /// Super administrator.
    pub is_admin: Option<bool>,
    /// Administrator with another role.
    pub is_delegated_admin: Option<bool>,
    /// Can neither sign in nor be acted for.
    pub suspended: Option<bool>,
    /// Archived.
    pub archived: Option<bool>,
    /// Has signed in once and accepted the terms.
    pub agreed_to_terms: Option<bool>,
    /// What the role allows.
    pub privileges: Option<Privileges>,
}

impl SimulatorState {
    /// Changes an account of a customer and returns it.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or account.
    pub fn patch_user(&self, customer_id: &str, user: &str, patch: &UserPatch) -> Result<User, ControlError> {
        let tenant = self.require_tenant(customer_id)?;
        tenant.change_user(user, |user| {
            user.is_admin = patch.is_admin.unwrap_or(user.is_admin);
            user.is_delegated_admin = patch.is_delegated_admin.unwrap_or(user.is_delegated_admin);
            user.suspended = patch.suspended.unwrap_or(user.suspended);
            user.archived = patch.archived.unwrap_or(user.archived);
            user.agreed_to_terms = patch.agreed_to_terms.unwrap_or(user.agreed_to_terms);
            user.privileges = patch.privileges.unwrap_or(user.privileges);
        });
        tenant.find_user(user).ok_or_else(|| no_user(user))
    }

    /// Deletes an account of a customer.
    ///
    /// # Errors
    /// [`ControlError`] for an unknown customer or account.
    pub fn remove_user(&self, customer_id: &str, user: &str) -> Result<(), ControlError> {
        if self.require_tenant(customer_id)?.remove_user(user) {
            Ok(())
        } else {
            Err(no_user(user))
        }
    }
}

fn no_user(user: &str) -> ControlError {
    ControlError::not_found(format!("no account {user} in this customer"))
}

pub(super) async fn list(
    State(state): State<Arc<SimulatorState>>,
    Path(customer): Path<String>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(
        &json!({ "users": state.require_tenant(&customer)?.users() }),
    ))
}

pub(super) async fn change(
    State(state): State<Arc<SimulatorState>>,
    Path((customer, user)): Path<(String, String)>,
    ControlBody(patch): ControlBody<UserPatch>,
) -> Result<ControlReply, ControlError> {
    Ok(ControlReply::ok(&state.patch_user(&customer, &user, &patch)?))
}

pub(super) async fn remove(
    State(state): State<Arc<SimulatorState>>,
    Path((customer, user)): Path<(String, String)>,
) -> Result<StatusCode, ControlError> {
    state
        .remove_user(&customer, &user)
        .map(|()| StatusCode::NO_CONTENT)
}
