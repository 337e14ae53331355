//! The components that are nested at the top of the one that is taken apart: of a group of fused nodes, its nodes.

use anyhow::Result;
use std::ops::Range;
use wasmparser::{Parser, Payload};

pub struct Parts<'a> {
    component: &'a [u8],
    /// Where they lie, in their order.
    places: Vec<Range<usize>>,
}

impl<'a> Parts<'a> {
    pub fn of_component(component: &'a [u8]) -> Result<Parts<'a>> {
        let mut places = Vec::new();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            match payload? {
                Payload::ComponentSection {
                    unchecked_range, ..
                } => {
                    if depth == 0 {
                        let place = |end: u64| usize::try_from(end);
                        places.push(place(unchecked_range.start)?..place(unchecked_range.end)?);
                    }
                    depth += 1;
                }
                Payload::ModuleSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        Ok(Parts { component, places })
    }

    /// Which of them a core module is from; none for the translator's own and those of the outer component.
    pub fn of(&self, module: &[u8]) -> Option<usize> {
        let start = self.component.as_ptr().addr();
        let place = module.as_ptr().addr().checked_sub(start)?;
        let inside = place < self.component.len() && !module.is_empty();
        self.places
            .iter()
            .position(|part| inside && part.contains(&place))
    }
}
