// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title Rewards for work, halving
/// @notice Time is cut into epochs. The amount of an epoch is shared among the payees of the market in proportion to the
/// fees that their fulfilments burned in it: whoever trades with himself buys tokens by burning tokens. The amount of an
/// epoch in which nothing was burned stays here for ever, as does what rounding leaves.
contract Emission {
    using SafeERC20 for IERC20;

    /// @notice What is handed out.
    IERC20 public immutable TOKEN;
    /// @notice Who says what was burned.
    address public immutable MARKET;
    /// @notice What all epochs together hand out, at most.
    uint256 public immutable TOTAL;
    /// @notice When epoch 0 begins, a timestamp.
    uint256 public immutable START;
    /// @notice Seconds of an epoch.
    uint256 public immutable EPOCH_SECONDS;
    /// @notice Epochs after which the amount of an epoch halves.
    uint256 public immutable HALVING_EPOCHS;

    /// @notice Fees burned in an epoch, by all payees.
    mapping(uint256 epoch => uint256 amount) public burnedIn;
    /// @notice Fees burned in an epoch by a payee's fulfilments, until their share is claimed.
    mapping(uint256 epoch => mapping(address payee => uint256 amount)) public burnedBy;

    /// @notice Fees of a payee's fulfilment were burned.
    event Burned(uint256 indexed epoch, address indexed payee, uint256 amount);
    /// @notice A payee got the share of an epoch.
    event Claimed(uint256 indexed epoch, address indexed payee, uint256 amount);

    /// @notice An argument of the constructor is zero, or an epoch would hand out nothing.
    error InvalidSchedule();
    /// @notice Only the market may say what was burned.
    error NotMarket();
    /// @notice The epoch has not ended yet.
    error EpochNotOver(uint256 epoch);
    /// @notice The payee has no share in the epoch, or has claimed it.
    error NothingToClaim(uint256 epoch, address payee);

    /// @param token What is handed out; it may be deployed later, at a known address.
    /// @param market Who calls `record`; likewise.
    /// @param total Handed out in all, at most. The first epochs get total / (2 halvingEpochs) each.
    /// @param start When epoch 0 begins, a timestamp.
    /// @param epochSeconds Seconds of an epoch.
    /// @param halvingEpochs Epochs after which the amount halves.
    constructor(
        IERC20 token,
        address market,
        uint256 total,
        uint256 start,
        uint256 epochSeconds,
        uint256 halvingEpochs
    ) {
        if (address(token) == address(0) || market == address(0) || epochSeconds == 0 || halvingEpochs == 0) {
            revert InvalidSchedule();
        }
        if (total / 2 / halvingEpochs == 0) revert InvalidSchedule();
        TOKEN = token;
        MARKET = market;
        TOTAL = total;
        START = start;
        EPOCH_SECONDS = epochSeconds;
        HALVING_EPOCHS = halvingEpochs;
    }

    /// @notice The epoch that a moment belongs to; all before START belong to epoch 0.
    function epochAt(uint256 timestamp) public view returns (uint256) {
        return timestamp < START ? 0 : (timestamp - START) / EPOCH_SECONDS;
    }

    /// @notice What the payees of an epoch share. The sum over all epochs is below TOTAL.
    function amountOf(uint256 epoch) public view returns (uint256) {
        return (TOTAL / 2 / HALVING_EPOCHS) >> (epoch / HALVING_EPOCHS);
    }

    /// @notice Notes that the market has burned fees of a payee's fulfilment.
    function record(address payee, uint256 amount) external {
        if (msg.sender != MARKET) revert NotMarket();
        uint256 epoch = epochAt(block.timestamp);
        burnedIn[epoch] += amount;
        burnedBy[epoch][payee] += amount;
        emit Burned(epoch, payee, amount);
    }

    /// @notice Sends a payee its share of an epoch that has ended. Anybody may call it.
    /// @return share What was sent.
    function claim(uint256 epoch, address payee) external returns (uint256 share) {
        if (epoch >= epochAt(block.timestamp)) revert EpochNotOver(epoch);
        uint256 burned = burnedBy[epoch][payee];
        if (burned == 0) revert NothingToClaim(epoch, payee);
        delete burnedBy[epoch][payee];
        share = amountOf(epoch) * burned / burnedIn[epoch];
        emit Claimed(epoch, payee, share);
        TOKEN.safeTransfer(payee, share);
    }
}
