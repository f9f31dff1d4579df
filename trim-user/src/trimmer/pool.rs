//! A growing store of equal things named by small numbers.

/// Items per page. Pages never move, so that growth costs one page and not a copy of everything.
const PAGE: usize = 256;

/// Stands for "no item" wherever an item's number is kept.
pub(super) const NONE: u32 = u32::MAX;

/// Items live in pages that are never given back; a freed item's place is used again, newest first.
#[derive(Debug)]
pub(super) struct Pool<T> {
    pages: Vec<Vec<T>>,
    free: Vec<u32>,
    places: u32,
}

impl<T> Pool<T> {
    pub(super) const fn new() -> Self {
        Self {
            pages: Vec::new(),
            free: Vec::new(),
            places: 0,
        }
    }

    /// How many items are in use.
    pub(super) fn used(&self) -> usize {
        self.places as usize - self.free.len()
    }

    /// Stores an item and returns its number.
    pub(super) fn insert(&mut self, item: T) -> u32 {
        match self.free.pop() {
            Some(number) => {
                *self.get_mut(number) = item;
                number
            }
            None => self.push(item),
        }
    }

    /// Takes a freed place into use with what lies there, or makes a new item.
    pub(super) fn reuse_or(&mut self, make: impl FnOnce() -> T) -> u32 {
        match self.free.pop() {
            Some(number) => number,
            None => self.push(make()),
        }
    }

    fn push(&mut self, item: T) -> u32 {
        let number = self.places;
        if self.pages.last().is_none_or(|page| page.len() == PAGE) {
            self.pages.push(Vec::with_capacity(PAGE));
        }
        if let Some(page) = self.pages.last_mut() {
            page.push(item);
        }
        self.places += 1;
        number
    }

    /// Gives an item's place back; what lies there stays until the place is used again.
    pub(super) fn free(&mut self, number: u32) {
        self.free.push(number);
    }

    /// The item with this number.
    ///
    /// # Panics
    /// If the number was never handed out, which is a defect of the caller and no matter of input.
    #[inline]
    pub(super) fn get(&self, number: u32) -> &T {
        let number = number as usize;
        &self.pages[number / PAGE][number % PAGE]
    }

    /// Like [`Self::get`].
    #[inline]
    pub(super) fn get_mut(&mut self, number: u32) -> &mut T {
        let number = number as usize;
        &mut self.pages[number / PAGE][number % PAGE]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freed_places_are_used_again() {
        let mut pool = Pool::new();
        let numbers: Vec<u32> = (0..1000).map(|value| pool.insert(value)).collect();
        assert_eq!(*pool.get(numbers[700]), 700);
        pool.free(numbers[3]);
        assert_eq!(pool.used(), 999);
        assert_eq!(pool.insert(5), numbers[3]);
        assert_eq!(*pool.get(numbers[3]), 5);
        pool.free(numbers[4]);
        assert_eq!(*pool.get(pool.places - 1), 999);
        assert_eq!(pool.reuse_or(|| 0), numbers[4]);
        assert_eq!(pool.reuse_or(|| 77), 1000);
        assert_eq!(pool.used(), 1001);
    }
}
