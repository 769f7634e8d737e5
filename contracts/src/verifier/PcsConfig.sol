// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @notice What a configuration of the commitment says of one oracle (spec/pcs.md, section 1).
struct Oracle {
    uint256 logInvRate;
    uint256 logFold;
    uint256 queries;
    uint256 queryGrinding;
    uint256 foldGrinding;
}

/// @notice Configuration of the commitment (spec/pcs.md, section 2). Oracle 0 stands for all commitments.
struct PcsConfig {
    bytes32 protocolId;
    /// Bits of security that the configuration claims; that it reaches them is for the reader of a key to check.
    uint256 level;
    uint256 logRows;
    uint256 maxLogColumns;
    Oracle[] oracles;
}

/// @title Reads configurations of the commitment
library PcsConfigs {
    /// @notice The configuration breaks a condition of spec/pcs.md, section 2.
    error PcsConfigInvalid();

    uint256 private constant HEAD = 63;
    uint256 private constant ORACLE = 20;
    uint256 private constant VERSION = 1;
    bytes32 private constant NAME_HASH = keccak256("avow/whir/goldilocks3/keccak256");

    uint256 private constant MAX_LOG_COLUMNS = 16;
    uint256 private constant MAX_ORACLES = 16;
    uint256 private constant MAX_LOG_ROWS = 30;
    uint256 private constant MAX_LOG_DOMAIN = 30;
    uint256 private constant MAX_LOG_INV_RATE = 20;
    uint256 private constant MAX_LOG_FOLD = 8;
    uint256 private constant MAX_QUERIES = 1024;
    uint256 private constant MAX_GRINDING = 24;
    uint256 private constant MAX_FINAL_LOG_LEN = 10;

    /// @notice The configuration that these bytes are, all of its conditions checked.
    /// @dev Whether it reaches the level that it names is not: that is for whoever picks a key to know.
    function parse(bytes memory encoded) internal pure returns (PcsConfig memory config) {
        if (encoded.length < HEAD || word(encoded, 0) != VERSION || word(encoded, 4) != 31) revert PcsConfigInvalid();
        bytes32 name;
        assembly ("memory-safe") {
            name := keccak256(add(encoded, 40), 31)
        }
        uint256 count = word(encoded, 59);
        if (name != NAME_HASH || count < 2 || count > MAX_ORACLES || encoded.length != HEAD + ORACLE * count) {
            revert PcsConfigInvalid();
        }
        // Salt and random columns are reserved.
        if (word(encoded, 51) != 0 || word(encoded, 55) != 0) revert PcsConfigInvalid();
        config.protocolId = keccak256(encoded);
        config.level = word(encoded, 39);
        config.logRows = word(encoded, 43);
        config.maxLogColumns = word(encoded, 47);
        config.oracles = new Oracle[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 place = HEAD + ORACLE * i;
            config.oracles[i] = Oracle({
                logInvRate: word(encoded, place),
                logFold: word(encoded, place + 4),
                queries: word(encoded, place + 8),
                queryGrinding: word(encoded, place + 12),
                foldGrinding: word(encoded, place + 16)
            });
        }
        check(config);
    }

    /// @dev Conditions of spec/pcs.md, section 2, that are not about bytes.
    function check(PcsConfig memory config) private pure {
        if (config.maxLogColumns > MAX_LOG_COLUMNS || config.logRows > MAX_LOG_ROWS) revert PcsConfigInvalid();
        uint256 left = config.logRows;
        for (uint256 i = 0; i < config.oracles.length; ++i) {
            Oracle memory oracle = config.oracles[i];
            if (oracle.logInvRate == 0 || oracle.logInvRate > MAX_LOG_INV_RATE) revert PcsConfigInvalid();
            if (i == 0 ? oracle.logFold != 0 : oracle.logFold == 0) revert PcsConfigInvalid();
            if (oracle.logFold > MAX_LOG_FOLD || oracle.logFold > left) revert PcsConfigInvalid();
            left -= oracle.logFold;
            if (left + oracle.logInvRate > MAX_LOG_DOMAIN) revert PcsConfigInvalid();
            if (oracle.queries == 0 || oracle.queries > MAX_QUERIES) revert PcsConfigInvalid();
            if (oracle.queryGrinding > MAX_GRINDING || oracle.foldGrinding > MAX_GRINDING) revert PcsConfigInvalid();
        }
        if (left > MAX_FINAL_LOG_LEN) revert PcsConfigInvalid();
    }

    /// @notice log2 of the coefficients of polynomial i, i from 1 to the number of oracles (the final one).
    function logLen(PcsConfig memory config, uint256 i) internal pure returns (uint256 length) {
        length = config.logRows;
        for (uint256 j = 1; j < i; ++j) {
            length -= config.oracles[j].logFold;
        }
    }

    /// @notice log2 of the leaves of oracle i.
    function logDomain(PcsConfig memory config, uint256 i) internal pure returns (uint256) {
        return logLen(config, i + 1) + config.oracles[i].logInvRate;
    }

    /// @dev The big-endian word of four bytes at `place`, which is within `encoded`.
    function word(bytes memory encoded, uint256 place) private pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(224, mload(add(add(encoded, 32), place)))
        }
    }
}
