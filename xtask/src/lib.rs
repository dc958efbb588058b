//! The rules of the house, as plain tests so that they run wherever tests run.

#[cfg(test)]
mod tidy;
