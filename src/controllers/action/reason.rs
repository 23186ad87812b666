//! Why an action is in its state: one word for programs, one fixed sentence for people. Details are added where they
//! are known.

/// Makes the enum, its list, its names and its sentences from one table.
macro_rules! reasons {
    ($($name:ident => $sentence:literal,)*) => {
        /// Why an action is in its state.
        #[allow(clippy::doc_markdown, reason = "the sentences are read by people, as they stand")]
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub(crate) enum Reason {
            $(#[doc = $sentence] $name,)*
        }

        impl Reason {
            /// Every reason, in the order of the documentation.
            #[cfg(test)]
            pub(crate) const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The word for conditions, receipts and metrics.
            pub(crate) const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => stringify!($name),)*
                }
            }

            /// What happened and what to do next.
            pub(crate) const fn sentence(self) -> &'static str {
                match self {
                    $(Self::$name => $sentence,)*
                }
            }
        }
    };
}

reasons! {
    // Pending: nothing is claimed yet.
    NoConnection => "There is no ChromeEnterpriseConnection in this namespace; the action waits for one until notAfter.",
    ConnectionSuspended => "The connection is suspended; the action waits until spec.sync.suspend is false again.",
    InventoryIncomplete => "The sync has not read the device yet, or may still find another one with this serial number; the action waits for it.",
    WaitingForEarlierAction => "An earlier action on this device comes first.",
    CheckingDevice => "The device is being read from Google before anything is sent.",
    WaitingForQuota => "Google allows a limited number of device changes a minute; the action waits for its turn.",
    ClockDisputed => "The operator's clock and Google's disagree about whether notAfter has passed, so nothing is sent. Correct the clock of the operator's machine.",

    // Dispatching: claimed, and not accepted yet.
    Sending => "The action is being sent to Google.",
    RetryLater => "Google took nothing yet and surely did nothing; it is sent again, until notAfter.",
    Settling => "Google's answer was lost, so the operator looks whether the device changes.",

    // Sent and Acknowledged.
    AcceptedByGoogle => "Google has accepted the command and passes it on when the device is online.",
    DeliveredToDevice => "The device has received the command.",

    // Succeeded.
    ChangedAtGoogle => "Google has made the change.",
    ExecutedByDevice => "The device has carried out the command.",
    AlreadyInState => "The device already is as asked for; nothing was sent.",
    ObservedInRequestedState => "Google's answer was lost, but the device is as asked for.",

    // Failed.
    RefusedByGoogle => "Google refused the action; nothing was done. See googleMessage for its words.",
    FailedOnDevice => "The device could not carry out the command. See googleMessage for its words.",
    IgnoredByDevice => "The device did not carry out the command: it was too old, or does not fit what the device is doing.",
    CancelledInConsole => "The command was cancelled in the Admin console.",

    // Expired.
    NotAfterPassed => "notAfter passed before the action could be sent; nothing was done.",
    ExpiredAtGoogle => "The device did not fetch the command in time, so Google gave it up.",

    // Rejected: nothing was sent.
    DeviceNotFound => "There is no such device in this namespace.",
    AmbiguousSerial => "Several devices have this serial number. Use deviceId instead.",
    DeviceChanged => "The device that Google has under this ID is not the one that was asked for.",
    DeviceOutsideConnection => "The device is outside the org unit of this namespace's connection.",
    StateForbids => "The state of the device does not allow this action.",
    ConnectionReadOnly => "The connection may only read (spec.access is ReadOnly). Set it to ReadWrite and create another action.",
    ConnectionDeleted => "The connection was deleted before the action was sent.",
    ActionDeleted => "The DeviceAction was deleted before it was sent.",
    TooManyAttempts => "Google turned the action away too often.",
    NameAlreadyUsed => "Another DeviceAction of this name was here before, and a name is good once. Create this one under another name.",

    // OutcomeUnknown: it may have been done and it may not.
    AnswerLost => "Google's answer was lost: it may have been done and it may not. Look at the device; it is never sent again.",
    SenderLost => "The operator ended while it was sending: it may have been done and it may not. Look at the device; it is never sent again.",
    StillPendingAtGoogle => "The device has not fetched the command yet. Google keeps it, and the operator goes on looking now and then.",
    CommandForgotten => "Google no longer knows the command: it may have been done and it may not. Look at the device.",
    ResultMissing => "The device has carried out the command but did not say how it went. Look at the device.",
    ReceiptMissing => "The receipt of this action was removed: it may have been done and it may not. Look at the device; it is not sent again.",
    ConnectionGone => "The connection that sent the command is gone, so nobody can ask Google what became of it. Look at the device.",

    // Of an object that was created again under a name that is used up.
    AlreadyExecuted => "This is what became of an earlier DeviceAction of the same name and content. Nothing was done for this object.",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_words_and_sentences() {
        for reason in Reason::ALL {
            assert!(reason.name().chars().all(char::is_alphanumeric), "{reason:?}");
            assert!(reason.sentence().ends_with('.'), "{reason:?}");
        }
    }
}
