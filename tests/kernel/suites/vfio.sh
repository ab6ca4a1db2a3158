# SPDX-License-Identifier: Apache-2.0
# layout: igb-iommu
# kernel: 6.12
# A VF for a virtual machine.
. ./t.sh
P=$(basename "$(dirname "$(ls -d $PCI/*/sriov_totalvfs | head -n 1)")")

groups() {
	echo 2 >"$PCI/$P/sriov_numvfs"
	g0=$(basename "$(readlink "$PCI/$P/virtfn0/iommu_group")")
	g1=$(basename "$(readlink "$PCI/$P/virtfn1/iommu_group")")
	[ "$g0" != "$g1" ]
}

to_vfio() {
	local a
	a=$(vf "$P" 0)
	echo vfio-pci >"$PCI/$a/driver_override"
	echo "$a" >/sys/bus/pci/drivers/igbvf/unbind
	echo "$a" >/sys/bus/pci/drivers_probe
	want "$(basename "$(readlink "$PCI/$a/driver")")" vfio-pci
	[ -c "/dev/vfio/$(basename "$(readlink "$PCI/$a/iommu_group")")" ]
	want "$(link_of "$a")" ''
}

and_back() {
	local a g
	a=$(vf "$P" 0)
	g=$(basename "$(readlink "$PCI/$a/iommu_group")")
	echo "$a" >/sys/bus/pci/drivers/vfio-pci/unbind
	echo >"$PCI/$a/driver_override"
	echo "$a" >/sys/bus/pci/drivers_probe
	within 5 has_link "$a"
	[ ! -e "/dev/vfio/$g" ]
}

t_case "vfio: a group for each VF" groups
t_case "vfio: a VF goes to vfio-pci" to_vfio
t_case "vfio: and comes back" and_back
t_end
