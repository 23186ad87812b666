//! The commands of one customer.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::command::{Command, CommandBehaviour, CommandId};
use crate::fleet::Slot;

/// The place of a command in its book; never used again for another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommandKey(usize);

/// All commands that were accepted, in the order of their issue.
#[derive(Debug, Default)]
pub(crate) struct CommandBook {
    commands: Vec<Command>,
    by_id: FxHashMap<CommandId, CommandKey>,
    by_device: FxHashMap<Slot, Vec<CommandKey>>,
    behaviours: BTreeMap<Slot, CommandBehaviour>,
    /// How many ids were given out; a call that takes no effect uses one up too.
    ids: u64,
}

impl CommandBook {
    /// Adds a command.
    pub(crate) fn add(&mut self, command: Command) -> CommandKey {
        let key = CommandKey(self.commands.len());
        self.by_id.insert(command.id, key);
        self.by_device.entry(command.slot).or_default().push(key);
        self.commands.push(command);
        key
    }

    /// The number of the next id.
    pub(crate) fn next_number(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }

    pub(crate) fn get(&self, key: CommandKey) -> Option<&Command> {
        self.commands.get(key.0)
    }

    pub(crate) fn get_mut(&mut self, key: CommandKey) -> Option<&mut Command> {
        self.commands.get_mut(key.0)
    }

    /// The command with this id.
    pub(crate) fn find(&self, id: CommandId) -> Option<CommandKey> {
        self.by_id.get(&id).copied()
    }

    /// Every command, oldest first.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Command> {
        self.commands.iter()
    }

    /// The commands of one device, oldest first.
    pub(crate) fn of_device(&self, slot: Slot) -> impl Iterator<Item = (CommandKey, &Command)> {
        let keys = self.by_device.get(&slot).map_or(&[][..], Vec::as_slice);
        keys.iter().filter_map(|key| Some((*key, self.get(*key)?)))
    }

    /// How the commands of a device go, if that was said.
    pub(crate) fn behaviour(&self, slot: Slot) -> Option<&CommandBehaviour> {
        self.behaviours.get(&slot)
    }

    /// Says how the commands of a device go from now on; `None` takes it back.
    pub(crate) fn set_behaviour(&mut self, slot: Slot, behaviour: Option<CommandBehaviour>) {
        match behaviour {
            Some(behaviour) => {
                self.behaviours.insert(slot, behaviour);
            }
            None => {
                self.behaviours.remove(&slot);
            }
        }
    }
}
