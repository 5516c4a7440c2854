//! What a template may use up: it is a program that came with a model.

use super::Result;
use std::cell::Cell;

/// A step pays for this many bytes of text made or read.
const BYTES_A_STEP: usize = 64;

/// How deep calls and blocks may be nested while a template runs, and values in each other.
pub const MAX_NESTING: usize = 600;
pub const MAX_VALUE_DEPTH: usize = 100;

#[derive(Clone, Copy)]
pub struct Limits {
    /// Evaluated nodes, visited items, and pieces of 64 bytes of text.
    pub steps: u64,
    /// Bytes of the rendered text.
    pub output: usize,
}

pub struct Budget {
    limits: Limits,
    left: Cell<u64>,
}

impl Budget {
    pub fn new(limits: Limits) -> Self {
        let left = Cell::new(limits.steps);
        Self { limits, left }
    }

    pub fn charge(&self, steps: usize) -> Result<()> {
        match self.left.get().checked_sub(steps as u64) {
            Some(left) => self.left.set(left),
            None => {
                self.left.set(0);
                return Err(format!(
                    "the template needs more than {} steps",
                    self.limits.steps
                ));
            }
        }
        Ok(())
    }

    /// Pays for text before it is made or read.
    pub fn charge_bytes(&self, bytes: usize) -> Result<()> {
        self.charge(bytes / BYTES_A_STEP + 1)
    }

    pub fn check_output(&self, bytes: usize) -> Result<()> {
        if bytes > self.limits.output {
            return Err(format!(
                "the template writes more than {} bytes",
                self.limits.output
            ));
        }
        Ok(())
    }
}
