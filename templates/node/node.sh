@# The whole script of a node. Only head.sh holds values, and each of them is one quoted shell word; everything
   else is the same text for every cluster. The renderer puts the shebang and the two slots before this. #@
@% include "head.sh" %@
@% include "lib/report.sh" %@
@% include "lib/fetch.sh" %@
@% include "lib/disk.sh" %@
@% if data_disk != "none" %@@% include "lib/data-disk.sh" %@@% endif %@
@% include "lib/address.sh" %@
@% include "lib/fill.sh" %@
@% if cloud == "aws" %@@% include "lib/cloud-aws.sh" %@@% endif %@
@% include "steps/system.sh" %@
@% include "steps/runtime.sh" %@
@% include "steps/kubelet.sh" %@
@% include "lib/kubeadm.sh" %@
@% if role == "control-plane" %@
@% include "lib/lock.sh" %@
@% include "lib/pki.sh" %@
@% include "roles/control-plane.sh" %@
@% else %@
@% include "roles/worker.sh" %@
@% endif %@
@% include "main.sh" %@
