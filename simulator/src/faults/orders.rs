//! What a fault rule tells the part that carries out a call.

/// When the effect of a call happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum When {
    /// As it should.
    #[default]
    Now,
    /// So many simulated seconds later.
    Later(u32),
    /// Not at all; the call is checked and answered as if it had.
    Never,
}

/// Travels with a request to the method that it calls. Calls that change nothing do not look at it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Orders {
    pub(crate) when: When,
    /// For `batchChangeStatus`: rows that are told to have failed.
    pub(crate) rows: Option<RowOrders>,
}

/// Rows of `batchChangeStatus` that are told to have failed, whatever happens to their devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RowOrders {
    /// Ids of the devices; all of them if it is empty.
    pub(crate) devices: Vec<String>,
    /// `google.rpc.Code`.
    pub(crate) code: i32,
    pub(crate) message: String,
    pub(crate) when: When,
}

impl RowOrders {
    /// Whether the row of this device is meant.
    pub(crate) fn mean(&self, device_id: &str) -> bool {
        means(&self.devices, device_id)
    }
}

/// Whether a list of ids means this device; an empty one means every device.
pub(crate) fn means(ids: &[String], device_id: &str) -> bool {
    ids.is_empty() || ids.iter().any(|id| id.eq_ignore_ascii_case(device_id))
}
