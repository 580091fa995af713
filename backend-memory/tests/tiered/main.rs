//! Memory in front of a store that others share: the contract, each way in which hybrid caches are known to serve what is
//! stale, and what a policy says of the tiers.

mod assured;
mod contract;
mod cut_off;
mod fleet;
mod holes;
mod hub;
mod policies;
mod processes;
mod sampler;
