// SPDX-License-Identifier: GPL-2.0
/* ibvfsim_driver: queues, and the fabric between the ports.
 *
 * Registering a device without a DMA device makes the core hand out kernel virtual
 * addresses, so sending is a memcpy.  Sends become messages; one work item delivers them
 * by LID, by multicast group, or to the subnet administrator (SA), which lives at LID 1
 * and answers just what ib_ipoib needs for carrier and ping.  Ports that are not active
 * neither send nor receive, and a queue pair hears only its own partition. */
#include <linux/crc32.h>
#include <linux/slab.h>
#include <rdma/ib_sa.h>
#include <rdma/uverbs_ioctl.h>
#include "sim.h"

#define RQ_SIZE 1024

struct sim_cq {
	struct ib_cq ibcq;
	spinlock_t lock;
	struct ib_wc *ring;
	u32 size, head, n;
	bool armed;
	struct work_struct work;
};

struct recv {
	u64 wr_id;
	int n;
	struct ib_sge sge[SIM_SGE];
};

struct sim_qp {
	struct ib_qp ibqp;
	struct list_head node;
	struct sim_dev *dev;
	enum ib_qp_state state;
	u32 qkey;
	u16 pkey_index;
	struct recv *rq;
	u32 rq_head, rq_n;
	struct ib_qp_init_attr init;
};

struct sim_ah {
	struct ib_ah ibah;
	struct rdma_ah_attr attr;
};

struct mcast {
	struct list_head node;
	struct sim_qp *qp;
	union ib_gid gid;
};

struct msg {
	struct list_head node;
	unsigned long due; /* jiffies; of a slow SA */
	u32 len, src_qpn, dst_qpn;
	u16 slid, dlid, pkey;
	bool grh;
	union ib_gid sgid, dgid;
	u8 data[];
};

struct workqueue_struct *sim_wq;
static LIST_HEAD(msgs);
static LIST_HEAD(slow_msgs); /* wait for the SA to take its time */
static void deliver_all(struct work_struct *w);
static void deliver_slow(struct work_struct *w);
static DECLARE_WORK(deliver_work, deliver_all);
static DECLARE_DELAYED_WORK(slow_work, deliver_slow);

static struct sim_cq *to_cq(struct ib_cq *ib)
{
	return container_of(ib, struct sim_cq, ibcq);
}

static struct sim_qp *to_qp(struct ib_qp *ib)
{
	return container_of(ib, struct sim_qp, ibqp);
}

/* ---- completion queues ---- */

/* Handlers expect bottom halves off, and posters hold locks that handlers want. */
static void cq_notify(struct work_struct *w)
{
	struct sim_cq *c = container_of(w, struct sim_cq, work);

	local_bh_disable();
	c->ibcq.comp_handler(&c->ibcq, c->ibcq.cq_context);
	local_bh_enable();
}

static void cq_push(struct ib_cq *ib, const struct ib_wc *wc)
{
	struct sim_cq *c;
	unsigned long flags;
	bool notify = false;

	if (!ib)
		return;
	c = to_cq(ib);
	spin_lock_irqsave(&c->lock, flags);
	if (!WARN_ON_ONCE(c->n >= c->size)) {
		c->ring[(c->head + c->n++) % c->size] = *wc;
		notify = c->armed;
		c->armed = false;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	if (notify && ib->comp_handler)
		queue_work(sim_wq, &c->work);
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static int create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *a,
		     struct uverbs_attr_bundle *u)
#else
static int create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *a, struct ib_udata *u)
#endif
{
	struct sim_cq *c = to_cq(ib);

	c->size = max(a->cqe, 16u) + 1;
	c->ring = kvcalloc(c->size, sizeof(*c->ring), GFP_KERNEL);
	if (!c->ring)
		return -ENOMEM;
	spin_lock_init(&c->lock);
	INIT_WORK(&c->work, cq_notify);
	ib->cqe = c->size - 1;
	return 0;
}

static int destroy_cq(struct ib_cq *ib, struct ib_udata *u)
{
	cancel_work_sync(&to_cq(ib)->work);
	kvfree(to_cq(ib)->ring);
	return 0;
}

static int poll_cq(struct ib_cq *ib, int n, struct ib_wc *wc)
{
	struct sim_cq *c = to_cq(ib);
	unsigned long flags;
	int i;

	spin_lock_irqsave(&c->lock, flags);
	for (i = 0; i < n && c->n; i++, c->n--) {
		wc[i] = c->ring[c->head];
		c->head = (c->head + 1) % c->size;
	}
	spin_unlock_irqrestore(&c->lock, flags);
	return i;
}

static int req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags what)
{
	struct sim_cq *c = to_cq(ib);
	unsigned long flags;
	int missed;

	spin_lock_irqsave(&c->lock, flags);
	c->armed = true;
	missed = (what & IB_CQ_REPORT_MISSED_EVENTS) && c->n;
	spin_unlock_irqrestore(&c->lock, flags);
	return missed;
}

/* ---- queue pairs ---- */

static int create_qp(struct ib_qp *ib, struct ib_qp_init_attr *a, struct ib_udata *u)
{
	struct sim_qp *q = to_qp(ib);
	struct sim_dev *d = to_sim(ib->device);
	unsigned long flags;

	if (u) /* no user-space data path, see reg_user_mr() */
		return -EOPNOTSUPP;
	if (a->qp_type != IB_QPT_SMI && a->qp_type != IB_QPT_GSI &&
	    a->qp_type != IB_QPT_UD && a->qp_type != IB_QPT_RC)
		return -EOPNOTSUPP;
	q->rq = kvcalloc(RQ_SIZE, sizeof(*q->rq), GFP_KERNEL);
	if (!q->rq)
		return -ENOMEM;
	q->dev = d;
	q->init = *a;
	q->state = IB_QPS_RESET;
	spin_lock_irqsave(&sim_lock, flags);
	if (a->qp_type == IB_QPT_SMI)
		ib->qp_num = 0;
	else if (a->qp_type == IB_QPT_GSI)
		ib->qp_num = 1;
	else
		ib->qp_num = d->next_qpn++ & 0xffffff;
	list_add_tail(&q->node, &d->qps);
	spin_unlock_irqrestore(&sim_lock, flags);
	return 0;
}

static int destroy_qp(struct ib_qp *ib, struct ib_udata *u)
{
	struct sim_qp *q = to_qp(ib);
	struct mcast *m, *tmp;
	unsigned long flags;

	spin_lock_irqsave(&sim_lock, flags);
	list_del(&q->node);
	list_for_each_entry_safe(m, tmp, &q->dev->mcast, node) {
		if (m->qp == q) {
			list_del(&m->node);
			kfree(m);
		}
	}
	spin_unlock_irqrestore(&sim_lock, flags);
	kvfree(q->rq);
	return 0;
}

static struct recv *rq_pop(struct sim_qp *q)
{
	struct recv *r = &q->rq[q->rq_head];

	lockdep_assert_held(&sim_lock);
	q->rq_head = (q->rq_head + 1) % RQ_SIZE;
	q->rq_n--;
	return r;
}

/* A queue pair in error gives back what was posted; ib_ipoib waits for that. */
static void rq_flush(struct sim_qp *q)
{
	lockdep_assert_held(&sim_lock);
	while (q->rq_n) {
		struct ib_wc wc = {
			.wr_id = rq_pop(q)->wr_id,
			.status = IB_WC_WR_FLUSH_ERR,
			.opcode = IB_WC_RECV,
			.qp = &q->ibqp,
		};

		cq_push(q->ibqp.recv_cq, &wc);
	}
}

static int modify_qp(struct ib_qp *ib, struct ib_qp_attr *a, int mask, struct ib_udata *u)
{
	struct sim_qp *q = to_qp(ib);
	unsigned long flags;

	spin_lock_irqsave(&sim_lock, flags);
	if (mask & IB_QP_QKEY)
		q->qkey = a->qkey;
	if (mask & IB_QP_PKEY_INDEX)
		q->pkey_index = a->pkey_index;
	if (mask & IB_QP_STATE) {
		q->state = a->qp_state;
		if (a->qp_state == IB_QPS_ERR)
			rq_flush(q);
		else if (a->qp_state == IB_QPS_RESET)
			q->rq_n = 0;
	}
	spin_unlock_irqrestore(&sim_lock, flags);
	return 0;
}

static int query_qp(struct ib_qp *ib, struct ib_qp_attr *a, int mask,
		    struct ib_qp_init_attr *init)
{
	struct sim_qp *q = to_qp(ib);

	memset(a, 0, sizeof(*a));
	a->qp_state = q->state;
	a->cur_qp_state = q->state;
	a->qkey = q->qkey;
	a->pkey_index = q->pkey_index;
	a->port_num = 1;
	a->cap = q->init.cap;
	*init = q->init;
	return 0;
}

static int post_recv(struct ib_qp *ib, const struct ib_recv_wr *wr,
		     const struct ib_recv_wr **bad)
{
	struct sim_qp *q = to_qp(ib);
	unsigned long flags;
	int r = 0;

	spin_lock_irqsave(&sim_lock, flags);
	for (; wr; wr = wr->next) {
		struct recv *e;

		if (q->rq_n >= RQ_SIZE || wr->num_sge > SIM_SGE) {
			*bad = wr;
			r = -ENOMEM;
			break;
		}
		e = &q->rq[(q->rq_head + q->rq_n++) % RQ_SIZE];
		e->wr_id = wr->wr_id; /* a union with wr_cqe */
		e->n = wr->num_sge;
		memcpy(e->sge, wr->sg_list, wr->num_sge * sizeof(*e->sge));
	}
	if (q->state == IB_QPS_ERR)
		rq_flush(q);
	spin_unlock_irqrestore(&sim_lock, flags);
	return r;
}

/* Makes the message of one UD work request; NULL without memory. */
static struct msg *msg_new(struct sim_qp *q, const struct ib_ud_wr *ud)
{
	const struct ib_send_wr *wr = &ud->wr;
	struct rdma_ah_attr *ah = &container_of(ud->ah, struct sim_ah, ibah)->attr;
	u32 len = 0, at = 0;
	struct msg *m;
	int i;

	for (i = 0; i < wr->num_sge; i++)
		len += wr->sg_list[i].length;
	m = kzalloc(struct_size(m, data, len), GFP_ATOMIC);
	if (!m)
		return NULL;
	for (i = 0; i < wr->num_sge; i++) {
		memcpy(m->data + at, (void *)(uintptr_t)wr->sg_list[i].addr,
		       wr->sg_list[i].length);
		at += wr->sg_list[i].length;
	}
	m->len = len;
	m->slid = q->dev->lid;
	m->dlid = rdma_ah_get_dlid(ah);
	m->src_qpn = q->ibqp.qp_num;
	m->dst_qpn = ud->remote_qpn;
	i = q->ibqp.qp_type == IB_QPT_GSI ? ud->pkey_index : q->pkey_index;
	m->pkey = i < SIM_PKEYS ? q->dev->pkey[i] : 0;
	sim_gid(q->dev, &m->sgid);
	if (rdma_ah_get_ah_flags(ah) & IB_AH_GRH) {
		m->grh = true;
		m->dgid = rdma_ah_read_grh(ah)->dgid;
	}
	return m;
}

static bool to_sa(const struct msg *m)
{
	return m->dlid == SM_LID && m->dst_qpn == 1;
}

static void msg_send(struct msg *m)
{
	int delay_ms = to_sa(m) ? READ_ONCE(sim_sa_delay_ms) : 0;
	unsigned long flags;

	spin_lock_irqsave(&sim_lock, flags);
	if (delay_ms > 0) {
		m->due = jiffies + msecs_to_jiffies(delay_ms);
		list_add_tail(&m->node, &slow_msgs);
		queue_delayed_work(sim_wq, &slow_work, msecs_to_jiffies(delay_ms));
	} else {
		list_add_tail(&m->node, &msgs);
		queue_work(sim_wq, &deliver_work);
	}
	spin_unlock_irqrestore(&sim_lock, flags);
}

static int post_send(struct ib_qp *ib, const struct ib_send_wr *wr,
		     const struct ib_send_wr **bad)
{
	struct sim_qp *q = to_qp(ib);

	for (; wr; wr = wr->next) {
		struct ib_wc wc = { .wr_id = wr->wr_id, .opcode = IB_WC_SEND, .qp = ib };
		struct msg *m;

		if (q->state == IB_QPS_ERR) {
			wc.status = IB_WC_WR_FLUSH_ERR;
		} else if (ib->qp_type != IB_QPT_RC && wr->opcode == IB_WR_SEND) {
			m = msg_new(q, ud_wr(wr));
			if (!m) {
				*bad = wr;
				return -ENOMEM;
			}
			msg_send(m);
		}
		if (wc.status || (wr->send_flags & IB_SEND_SIGNALED) ||
		    q->init.sq_sig_type == IB_SIGNAL_ALL_WR)
			cq_push(ib->send_cq, &wc);
	}
	return 0;
}

/* ---- delivery; all under sim_lock ---- */

/* Returns the index of a table entry of 'd' in the partition 'pkey', -1 for none. */
static int pkey_match(struct sim_dev *d, u16 pkey)
{
	int i;

	for (i = 0; i < SIM_PKEYS; i++)
		if (d->pkey[i] && !((d->pkey[i] ^ pkey) & 0x7fff) &&
		    ((d->pkey[i] | pkey) & 0x8000)) /* one of the two is a full member */
			return i;
	return -1;
}

static u32 scatter(const struct recv *r, u32 at, const void *from, u32 len)
{
	u32 start = 0, done = 0;
	int i;

	for (i = 0; i < r->n && done < len; start += r->sge[i++].length) {
		u32 off = at + done - start, n;

		if (off >= r->sge[i].length)
			continue;
		n = min(r->sge[i].length - off, len - done);
		memcpy((u8 *)(uintptr_t)r->sge[i].addr + off, from + done, n);
		done += n;
	}
	return done;
}

static void deliver_qp(struct sim_qp *q, struct msg *m)
{
	struct ib_wc wc = {
		.opcode = IB_WC_RECV,
		.qp = &q->ibqp,
		.src_qp = m->src_qpn,
		.slid = m->slid,
		.port_num = 1,
		.byte_len = sizeof(struct ib_grh) + m->len,
	};
	struct ib_grh grh = {};
	struct recv *r;
	int i = pkey_match(q->dev, m->pkey);

	if (i < 0 || (q->ibqp.qp_num > 1 && i != q->pkey_index))
		return;
	if (!q->rq_n ||
	    (q->state != IB_QPS_INIT && q->state != IB_QPS_RTR && q->state != IB_QPS_RTS))
		return;
	r = rq_pop(q);
	wc.wr_id = r->wr_id;
	wc.pkey_index = i;
	if (m->grh) {
		wc.wc_flags |= IB_WC_GRH;
		grh.version_tclass_flow = cpu_to_be32(6U << 28);
		grh.paylen = cpu_to_be16(m->len);
		grh.next_hdr = 0x1b;
		grh.hop_limit = 64;
		grh.sgid = m->sgid;
		grh.dgid = m->dgid;
	}
	if (scatter(r, 0, &grh, sizeof(grh)) < sizeof(grh) ||
	    scatter(r, sizeof(grh), m->data, m->len) < m->len)
		wc.status = IB_WC_LOC_LEN_ERR;
	cq_push(q->ibqp.recv_cq, &wc);
}

/* Attributes of the SA as they are on the wire. */
struct sa_mcmember {
	u8 mgid[16], port_gid[16];
	__be32 qkey;
	__be16 mlid;
	u8 mtu, tclass;
	__be16 pkey;
	u8 rate, lifetime;
	__be32 sl_flow_hop;
	u8 scope_join, proxy;
} __packed;

struct sa_path {
	__be64 service_id;
	u8 dgid[16], sgid[16];
	__be16 dlid, slid;
	__be32 flow_hop;
	u8 tclass, reversible_n;
	__be16 pkey, qos_sl;
	u8 mtu, rate, lifetime, preference;
} __packed;

#define SA_EXACTLY (2 << 6)
#define SA_MTU	   (SA_EXACTLY | IB_MTU_2048)
#define SA_RATE	   (SA_EXACTLY | IB_RATE_40_GBPS)
#define SA_LIFE	   (SA_EXACTLY | 18)
#define SA_QKEY	   0x0b1b
#define SA_STATUS_NO_RECORDS 0x0300

static void sa_join(struct sa_mcmember *rec)
{
	u16 mlid = MLID_FIRST | (crc32_le(~0, rec->mgid, sizeof(rec->mgid)) & 0x1fff);

	if (!rec->qkey)
		rec->qkey = cpu_to_be32(SA_QKEY);
	rec->mlid = cpu_to_be16(mlid);
	rec->mtu = SA_MTU;
	rec->rate = SA_RATE;
	rec->lifetime = SA_LIFE;
	rec->scope_join = (rec->scope_join & 0x0f) | 0x20;
}

static int sa_path(struct sa_path *rec, struct msg *m)
{
	struct sim_dev *d;
	__be64 guid;

	memcpy(&guid, rec->dgid + 8, sizeof(guid));
	list_for_each_entry(d, &sim_devs, node) {
		if (d->eth || cpu_to_be64(d->port_guid) != guid ||
		    sim_state(d) != IB_PORT_ACTIVE)
			continue;
		rec->dlid = cpu_to_be16(d->lid);
		rec->slid = cpu_to_be16(m->slid);
		rec->reversible_n = 0x81;
		if (!rec->pkey)
			rec->pkey = cpu_to_be16(0xffff);
		rec->mtu = SA_MTU;
		rec->rate = SA_RATE;
		rec->lifetime = SA_LIFE;
		return 0;
	}
	return SA_STATUS_NO_RECORDS;
}

/* Turns a request to the SA into its answer; false: there is none. */
static bool sa_answer(struct msg *m)
{
	struct ib_sa_mad *s = (void *)m->data;
	struct ib_mad_hdr *h = &s->mad_hdr;
	int status = 0;

	if (!sim_sa_on || m->len < sizeof(*s) || h->mgmt_class != IB_MGMT_CLASS_SUBN_ADM ||
	    (h->method & IB_MGMT_METHOD_RESP))
		return false;
	switch (be16_to_cpu(h->attr_id)) {
	case IB_SA_ATTR_MC_MEMBER_REC:
		sa_join((void *)s->data);
		break;
	case IB_SA_ATTR_PATH_REC:
		status = sa_path((void *)s->data, m);
		break;
	case IB_SA_ATTR_CLASS_PORTINFO:
		s->data[0] = 1; /* base and class version */
		s->data[1] = 2;
		break;
	}
	h->status = cpu_to_be16(status);
	h->method = h->method == IB_SA_METHOD_DELETE ? IB_SA_METHOD_DELETE_RESP :
						       IB_MGMT_METHOD_GET_RESP;
	m->grh = false;
	m->dlid = m->slid;
	m->slid = SM_LID;
	m->src_qpn = 1;
	return true;
}

static void deliver(struct msg *m)
{
	struct sim_dev *d, *src = NULL;
	struct mcast *mc;
	struct sim_qp *q;

	list_for_each_entry(d, &sim_devs, node)
		if (d->lid == m->slid)
			src = d;
	if (!src || sim_state(src) != IB_PORT_ACTIVE)
		return;
	if (to_sa(m) && !sa_answer(m))
		return;
	list_for_each_entry(d, &sim_devs, node) {
		if (d->eth || sim_state(d) != IB_PORT_ACTIVE)
			continue;
		if (m->dlid >= MLID_FIRST) {
			list_for_each_entry(mc, &d->mcast, node)
				if (m->grh && !memcmp(&mc->gid, &m->dgid, sizeof(mc->gid)))
					deliver_qp(mc->qp, m);
		} else if (d->lid == m->dlid) {
			list_for_each_entry(q, &d->qps, node)
				if (q->ibqp.qp_num == m->dst_qpn)
					deliver_qp(q, m);
		}
	}
}

static void deliver_all(struct work_struct *w)
{
	unsigned long flags;
	struct msg *m;

	for (;;) {
		spin_lock_irqsave(&sim_lock, flags);
		m = list_first_entry_or_null(&msgs, struct msg, node);
		if (m)
			list_del(&m->node);
		spin_unlock_irqrestore(&sim_lock, flags);
		if (!m)
			return;
		spin_lock_irqsave(&sim_lock, flags);
		deliver(m);
		spin_unlock_irqrestore(&sim_lock, flags);
		kfree(m);
		cond_resched();
	}
}

static void deliver_slow(struct work_struct *w)
{
	struct msg *m, *tmp;
	unsigned long flags;

	spin_lock_irqsave(&sim_lock, flags);
	list_for_each_entry_safe(m, tmp, &slow_msgs, node)
		if (time_after_eq(jiffies, m->due))
			list_move_tail(&m->node, &msgs);
	m = list_first_entry_or_null(&slow_msgs, struct msg, node);
	if (m)
		queue_delayed_work(sim_wq, &slow_work,
				   time_after(m->due, jiffies) ? m->due - jiffies : 0);
	queue_work(sim_wq, &deliver_work);
	spin_unlock_irqrestore(&sim_lock, flags);
}

static int attach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	struct mcast *m = kzalloc(sizeof(*m), GFP_KERNEL);
	unsigned long flags;

	if (!m)
		return -ENOMEM;
	m->qp = to_qp(ib);
	m->gid = *gid;
	spin_lock_irqsave(&sim_lock, flags);
	list_add(&m->node, &to_sim(ib->device)->mcast);
	spin_unlock_irqrestore(&sim_lock, flags);
	return 0;
}

static int detach_mcast(struct ib_qp *ib, union ib_gid *gid, u16 lid)
{
	struct mcast *m, *tmp;
	unsigned long flags;

	spin_lock_irqsave(&sim_lock, flags);
	list_for_each_entry_safe(m, tmp, &to_sim(ib->device)->mcast, node) {
		if (m->qp == to_qp(ib) && !memcmp(&m->gid, gid, sizeof(*gid))) {
			list_del(&m->node);
			kfree(m);
			break;
		}
	}
	spin_unlock_irqrestore(&sim_lock, flags);
	return 0;
}

static int create_ah(struct ib_ah *ah, struct rdma_ah_init_attr *a, struct ib_udata *u)
{
	rdma_copy_ah_attr(&container_of(ah, struct sim_ah, ibah)->attr, a->ah_attr);
	return 0;
}

static int destroy_ah(struct ib_ah *ah, u32 flags)
{
	rdma_destroy_ah_attr(&container_of(ah, struct sim_ah, ibah)->attr);
	return 0;
}

static int query_ah(struct ib_ah *ah, struct rdma_ah_attr *a)
{
	*a = container_of(ah, struct sim_ah, ibah)->attr;
	return 0;
}

static const struct ib_device_ops fabric_ops = {
	.attach_mcast = attach_mcast,
	.create_ah = create_ah,
	.create_cq = create_cq,
	.create_qp = create_qp,
	.create_user_ah = create_ah,
	.destroy_ah = destroy_ah,
	.destroy_cq = destroy_cq,
	.destroy_qp = destroy_qp,
	.detach_mcast = detach_mcast,
	.modify_qp = modify_qp,
	.poll_cq = poll_cq,
	.post_recv = post_recv,
	.post_send = post_send,
	.query_ah = query_ah,
	.query_qp = query_qp,
	.req_notify_cq = req_notify_cq,
	INIT_RDMA_OBJ_SIZE(ib_ah, sim_ah, ibah),
	INIT_RDMA_OBJ_SIZE(ib_cq, sim_cq, ibcq),
	INIT_RDMA_OBJ_SIZE(ib_qp, sim_qp, ibqp),
};

/* Gives a new device the operations of this file, beside those of verbs.c. */
void sim_fabric_ops(struct ib_device *ib)
{
	ib_set_device_ops(ib, &fabric_ops);
}

int sim_fabric_init(void)
{
	sim_wq = alloc_workqueue("ibvfsim", WQ_UNBOUND, 0);
	return sim_wq ? 0 : -ENOMEM;
}

void sim_fabric_exit(void)
{
	struct msg *m, *tmp;

	cancel_delayed_work_sync(&slow_work);
	destroy_workqueue(sim_wq);
	list_splice(&slow_msgs, &msgs);
	list_for_each_entry_safe(m, tmp, &msgs, node)
		kfree(m);
}
