// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {ERC20Permit} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Permit.sol";

import {Emission} from "./Emission.sol";
import {Genesis} from "./Genesis.sol";

/// @title The native token: escrow, bond and reward
/// @notice All of it is minted here, to two contracts without owners; it can only be burned afterwards. EIP-20, EIP-2612.
contract AvowToken is ERC20, ERC20Burnable, ERC20Permit {
    /// @notice Everything that there will ever be, in units of 10^-18.
    uint256 public constant CAP = 1_000_000_000e18;

    /// @notice The two contracts do not hand out the cap, or are about another token.
    error WrongAllocation();

    /// @param emission Gets what it hands out in all.
    /// @param genesis Gets the rest, which must be what it has allocated (on chain 31337, at least).
    constructor(Emission emission, Genesis genesis) ERC20("Avow", "AVOW") ERC20Permit("Avow") {
        uint256 emitted = emission.TOTAL();
        if (address(emission.TOKEN()) != address(this) || address(genesis.TOKEN()) != address(this)) {
            revert WrongAllocation();
        }
        if (emitted > CAP || genesis.ALLOCATED() > CAP - emitted) revert WrongAllocation();
        if (genesis.ALLOCATED() != CAP - emitted && block.chainid != genesis.DEVELOPMENT_CHAIN()) {
            revert WrongAllocation();
        }
        _mint(address(emission), emitted);
        _mint(address(genesis), CAP - emitted);
    }
}
