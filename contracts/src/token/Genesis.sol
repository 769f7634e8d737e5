// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

/// @title The first tokens
/// @notice Hands out a list that is published once, at deployment, and can never be changed. On the chain of a developer's
/// machine what the list leaves over is a faucet.
contract Genesis {
    using SafeERC20 for IERC20;

    /// @notice An entry of the list.
    struct Allocation {
        address recipient;
        uint256 amount;
    }

    /// @notice The chain id of local development chains, the only ones that have a faucet.
    uint256 public constant DEVELOPMENT_CHAIN = 31337;
    /// @notice What the faucet gives at once.
    uint256 public constant DRIP = 1_000e18;

    /// @notice What is handed out.
    IERC20 public immutable TOKEN;
    /// @notice The list's sum.
    uint256 public immutable ALLOCATED;

    /// @notice What a recipient has not got yet.
    mapping(address recipient => uint256 amount) public allocationOf;
    /// @notice What all recipients have not got yet.
    uint256 public outstanding;

    /// @notice An entry of the list.
    event Allocated(address indexed recipient, uint256 amount);
    /// @notice A recipient got its tokens.
    event Released(address indexed recipient, uint256 amount);

    /// @notice An entry without recipient or amount, or a recipient twice.
    error InvalidAllocation(address recipient);
    /// @notice The recipient is not on the list, or has got its tokens.
    error NothingAllocated(address recipient);
    /// @notice There is a faucet on development chains only.
    error NoFaucet();
    /// @notice What the list leaves over is used up.
    error FaucetEmpty();

    /// @param token What is handed out; it may be deployed later, at a known address.
    /// @param allocations The list.
    constructor(IERC20 token, Allocation[] memory allocations) {
        TOKEN = token;
        uint256 sum = 0;
        for (uint256 i = 0; i < allocations.length; ++i) {
            (address recipient, uint256 amount) = (allocations[i].recipient, allocations[i].amount);
            if (recipient == address(0) || amount == 0 || allocationOf[recipient] != 0) {
                revert InvalidAllocation(recipient);
            }
            allocationOf[recipient] = amount;
            sum += amount;
            emit Allocated(recipient, amount);
        }
        ALLOCATED = sum;
        outstanding = sum;
    }

    /// @notice Sends a recipient its tokens. Anybody may call it.
    function release(address recipient) external {
        uint256 amount = allocationOf[recipient];
        if (amount == 0) revert NothingAllocated(recipient);
        delete allocationOf[recipient];
        outstanding -= amount;
        emit Released(recipient, amount);
        TOKEN.safeTransfer(recipient, amount);
    }

    /// @notice Sends DRIP tokens to anybody, on development chains only; the list's are not touched.
    function drip(address to) external {
        if (block.chainid != DEVELOPMENT_CHAIN) revert NoFaucet();
        if (TOKEN.balanceOf(address(this)) < outstanding + DRIP) revert FaucetEmpty();
        TOKEN.safeTransfer(to, DRIP);
    }
}
