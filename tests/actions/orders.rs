//! Every order that can be given, every answer that Google can give to it, and what must come of the two.

use chrome_enterprise_operator::api::action::{ActionState, ActionType};
use google_admin_simulator::api::methods::ApiMethod;
use google_admin_simulator::faults::{Fault, FaultRule, ForbiddenReason};
use serde_json::Value;

use crate::school::{School, spec};

/// An action that can be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Order {
    pub(crate) type_: ActionType,
    /// Of a wipe.
    pub(crate) mode: &'static str,
}

impl Order {
    /// Every type, wipes in both modes.
    pub(crate) const ALL: [Self; 6] = [
        Self::new(ActionType::Restart, ""),
        Self::new(ActionType::Wipe, "Users"),
        Self::new(ActionType::Wipe, "Powerwash"),
        Self::new(ActionType::Deprovision, ""),
        Self::new(ActionType::EnableLostMode, ""),
        Self::new(ActionType::DisableLostMode, ""),
    ];

    const fn new(type_: ActionType, mode: &'static str) -> Self {
        Self { type_, mode }
    }

    /// The state that Google must show of a device before.
    pub(crate) const fn state_before(self) -> &'static str {
        match self.type_ {
            ActionType::DisableLostMode => "DISABLED",
            ActionType::Restart | ActionType::Wipe | ActionType::Deprovision | ActionType::EnableLostMode => {
                "ACTIVE"
            }
        }
    }

    pub(crate) fn spec(self, device: &str) -> Value {
        spec(device, self.type_, self.mode)
    }

    /// How often it was done to the device through the API.
    pub(crate) fn done(self, school: &School, device: &str) -> u64 {
        school.done(device, self.type_, self.mode)
    }

    pub(crate) const fn is_command(self) -> bool {
        self.type_.is_command()
    }
}

/// What Google does with the one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answer {
    Done,
    Refused,
    NoPrivilege,
    RateLimit429,
    RateLimit403,
    TokenRefused,
    UnavailableBefore,
    UnavailableAfter,
    BadGatewayAfter,
    ResetBefore,
    ResetAfter,
    ClosedUnread,
    SilentBefore,
    SilentAfter,
    HalfAfter,
    NonsenseAfter,
    IncompleteAfter,
    Late,
}

impl Answer {
    /// Every answer.
    pub(crate) const ALL: [Self; 18] = [
        Self::Done,
        Self::Refused,
        Self::NoPrivilege,
        Self::RateLimit429,
        Self::RateLimit403,
        Self::TokenRefused,
        Self::UnavailableBefore,
        Self::UnavailableAfter,
        Self::BadGatewayAfter,
        Self::ResetBefore,
        Self::ResetAfter,
        Self::ClosedUnread,
        Self::SilentBefore,
        Self::SilentAfter,
        Self::HalfAfter,
        Self::NonsenseAfter,
        Self::IncompleteAfter,
        Self::Late,
    ];

    /// Lets Google answer so, once, to this order on this device.
    pub(crate) fn prepare(self, school: &School, order: Order, device: &str) {
        let Some((fault, effect)) = self.fault() else {
            return;
        };
        let api = if order.is_command() {
            ApiMethod::IssueCommand
        } else {
            ApiMethod::BatchChangeStatus
        };
        let rule = FaultRule::on(api, fault).times(1).about(vec![device.to_owned()]);
        let rule = match effect {
            Effect::Usual => rule,
            Effect::Happens => rule.taking_effect(),
            Effect::Late => rule.late(1),
        };
        school.world.google.state().add_fault(rule).unwrap();
    }

    fn fault(self) -> Option<(Fault, Effect)> {
        let limit = ForbiddenReason::UserRateLimitExceeded;
        Some(match self {
            Self::Done => return None,
            Self::Refused => (Fault::ConditionNotMet { message: None }, Effect::Usual),
            Self::NoPrivilege => (
                Fault::Forbidden {
                    reason: ForbiddenReason::Forbidden,
                },
                Effect::Usual,
            ),
            Self::RateLimit429 => (
                Fault::TooManyRequests {
                    retry_after_seconds: Some(1),
                },
                Effect::Usual,
            ),
            Self::RateLimit403 => (Fault::Forbidden { reason: limit }, Effect::Usual),
            Self::TokenRefused => (Fault::Unauthorized {}, Effect::Usual),
            Self::UnavailableBefore => (
                Fault::Unavailable {
                    retry_after_seconds: None,
                },
                Effect::Usual,
            ),
            Self::UnavailableAfter => (
                Fault::Unavailable {
                    retry_after_seconds: None,
                },
                Effect::Happens,
            ),
            Self::BadGatewayAfter => (Fault::BadGateway {}, Effect::Happens),
            Self::ResetBefore => (Fault::ConnectionReset {}, Effect::Usual),
            Self::ResetAfter => (Fault::ConnectionReset {}, Effect::Happens),
            Self::ClosedUnread => (Fault::ConnectionClosed {}, Effect::Usual),
            Self::SilentBefore => (Fault::Hang {}, Effect::Usual),
            Self::SilentAfter => (Fault::Hang {}, Effect::Happens),
            Self::HalfAfter => (Fault::TruncatedBody { keep_percent: 50 }, Effect::Happens),
            Self::NonsenseAfter => (Fault::InvalidJson {}, Effect::Happens),
            Self::IncompleteAfter => (Fault::IncompleteAnswer {}, Effect::Happens),
            Self::Late => (Fault::GatewayTimeout {}, Effect::Late),
        })
    }

    /// State and reason that must come of it when nothing else happens, and how often it was done.
    pub(crate) fn expected(self, order: Order) -> (&'static str, u64) {
        let command = order.is_command();
        match self {
            Self::Done | Self::RateLimit429 | Self::RateLimit403 | Self::TokenRefused if command => {
                ("Succeeded/ExecutedByDevice", 1)
            }
            Self::Done | Self::RateLimit429 | Self::RateLimit403 | Self::TokenRefused => {
                ("Succeeded/ChangedAtGoogle", 1)
            }
            Self::Refused | Self::NoPrivilege => ("Failed/RefusedByGoogle", 0),
            Self::UnavailableBefore | Self::ResetBefore | Self::SilentBefore => {
                ("OutcomeUnknown/AnswerLost", 0)
            }
            // Whether the body was handed out before the connection ended is a matter of luck: it is then sent again.
            Self::ClosedUnread => ("OutcomeUnknown/AnswerLost or a second attempt", 0),
            Self::UnavailableAfter
            | Self::BadGatewayAfter
            | Self::ResetAfter
            | Self::SilentAfter
            | Self::HalfAfter
            | Self::NonsenseAfter
            | Self::IncompleteAfter
            | Self::Late
                if command =>
            {
                ("OutcomeUnknown/AnswerLost", 1)
            }
            Self::UnavailableAfter
            | Self::BadGatewayAfter
            | Self::ResetAfter
            | Self::SilentAfter
            | Self::HalfAfter
            | Self::NonsenseAfter
            | Self::IncompleteAfter
            | Self::Late => ("Succeeded/ObservedInRequestedState", 1),
        }
    }
}

enum Effect {
    Usual,
    Happens,
    Late,
}

/// What must hold of an action that has ended, whatever happened: it was done at most once, and what is told is true.
pub(crate) fn assert_true(state: ActionState, done: u64, what: &str) {
    assert!(done <= 1, "{what}: done {done} times");
    match state {
        ActionState::Succeeded => assert_eq!(done, 1, "{what}: told to be done, and was not"),
        ActionState::Failed | ActionState::Expired | ActionState::Rejected => {
            assert_eq!(done, 0, "{what}: told not to be done as {state:?}, and was");
        }
        ActionState::OutcomeUnknown => {}
        ActionState::Pending | ActionState::Dispatching | ActionState::Sent | ActionState::Acknowledged => {
            panic!("{what}: {state:?} is no end")
        }
    }
}
