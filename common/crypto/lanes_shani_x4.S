/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * void lanes_shani_sha256_x4(struct pair s[4], const uint8_t *const data[4], uint32_t blocks)
 *
 * SHA-256 of so many blocks (at least 1) of four messages each, with the SHA extensions and
 * AVX-512 VL. s: their states as lanes_shani_kernel.h has them.
 *
 * Written out because the SHA instructions reach sixteen registers only: compilers keep the states
 * on the stack between rounds and wait for them. Here states stay in xmm1-8 and messages in
 * xmm16-31, which no SHA instruction reaches, but moves cost nothing.
 */
#define X0 %xmm1
#define Y0 %xmm2
#define X1 %xmm3
#define Y1 %xmm4
#define X2 %xmm5
#define Y2 %xmm6
#define X3 %xmm7
#define Y3 %xmm8
#define ORDER %xmm14 /* from and to big-endian words */
#define DATA0 %r8
#define DATA1 %r9
#define DATA2 %r10
#define DATA3 %r11

/* Four words of the message: those of this step, W, and of the next ones. */
#define W00 %xmm16
#define W01 %xmm17
#define W02 %xmm18
#define W03 %xmm19
#define W10 %xmm20
#define W11 %xmm21
#define W12 %xmm22
#define W13 %xmm23
#define W20 %xmm24
#define W21 %xmm25
#define W22 %xmm26
#define W23 %xmm27
#define W30 %xmm28
#define W31 %xmm29
#define W32 %xmm30
#define W33 %xmm31

/* A step is four rounds. */
#define LOAD(t, lane, w) \
	vmovdqu32 16*t(DATA##lane), w; \
	vpshufb	ORDER, w, w

#define ROUNDS(t, x, y, w) \
	vpaddd	16*t(%rax), w, %xmm0; \
	sha256rnds2 %xmm0, x, y; \
	vpshufd	$0x0e, %xmm0, %xmm0; \
	sha256rnds2 %xmm0, y, x

/* In place of the words of this step, those of four steps later. */
#define SCHEDULE(a, b, w0, w1, w2, w3) \
	vmovdqa32 w0, a; \
	vmovdqa32 w1, b; \
	sha256msg1 b, a; \
	vpalignr $4, w2, w3, b; \
	vpaddd	b, a, a; \
	vmovdqa32 w3, b; \
	sha256msg2 b, a; \
	vmovdqa32 a, w0

/* Rounds of a step, then words of an earlier one (i-l): made long before they are needed. */
#define LANE(t, lane, a, b, w, i, j, k, l) \
	ROUNDS(t, X##lane, Y##lane, W##lane##w); \
	SCHEDULE(a, b, W##lane##i, W##lane##j, W##lane##k, W##lane##l)

#define ROUNDS_OF(t, lane, w) ROUNDS(t, X##lane, Y##lane, W##lane##w)

#define LOAD_BLOCK(lane) \
	LOAD(0, lane, W##lane##0); \
	LOAD(1, lane, W##lane##1); \
	LOAD(2, lane, W##lane##2); \
	LOAD(3, lane, W##lane##3)

/* The first lane's words are one step behind its rounds, the others' two. */
#define STEP(t, i, j, k, l) \
	LANE(t, 0, %xmm9, %xmm10, i, l, i, j, k); \
	LANE(t, 1, %xmm11, %xmm12, i, k, l, i, j); \
	LANE(t, 2, %xmm9, %xmm10, i, k, l, i, j); \
	LANE(t, 3, %xmm11, %xmm12, i, k, l, i, j)

#define ROUNDS_ONLY(t, i) \
	ROUNDS_OF(t, 0, i); \
	ROUNDS_OF(t, 1, i); \
	ROUNDS_OF(t, 2, i); \
	ROUNDS_OF(t, 3, i)

#define ADD(at, x) \
	vpaddd	at(%rdi), x, x; \
	vmovdqu	x, at(%rdi)

	.section .rodata
	.balign	64
.Lk:
	.long	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5
	.long	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174
	.long	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da
	.long	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967
	.long	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85
	.long	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070
	.long	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3
	.long	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2
.Lorder:
	.long	0x00010203, 0x04050607, 0x08090a0b, 0x0c0d0e0f

	.text
	.balign	64
	.globl	lanes_shani_sha256_x4
	.hidden	lanes_shani_sha256_x4
	.type	lanes_shani_sha256_x4, @function
lanes_shani_sha256_x4:
	.cfi_startproc
	lea	.Lk(%rip), %rax
	vmovdqu	.Lorder(%rip), ORDER
	mov	(%rsi), DATA0
	mov	8(%rsi), DATA1
	mov	16(%rsi), DATA2
	mov	24(%rsi), DATA3
	vmovdqu	(%rdi), X0
	vmovdqu	16(%rdi), Y0
	vmovdqu	32(%rdi), X1
	vmovdqu	48(%rdi), Y1
	vmovdqu	64(%rdi), X2
	vmovdqu	80(%rdi), Y2
	vmovdqu	96(%rdi), X3
	vmovdqu	112(%rdi), Y3
	.balign	64
.Lblock:
	LOAD_BLOCK(0)
	LOAD_BLOCK(1)
	LOAD_BLOCK(2)
	LOAD_BLOCK(3)
	ROUNDS_ONLY(0, 0)
	LANE(1, 0, %xmm9, %xmm10, 1, 0, 1, 2, 3)
	ROUNDS_OF(1, 1, 1)
	ROUNDS_OF(1, 2, 1)
	ROUNDS_OF(1, 3, 1)
	STEP(2, 2, 3, 0, 1)
	STEP(3, 3, 0, 1, 2)
	STEP(4, 0, 1, 2, 3)
	STEP(5, 1, 2, 3, 0)
	STEP(6, 2, 3, 0, 1)
	STEP(7, 3, 0, 1, 2)
	STEP(8, 0, 1, 2, 3)
	STEP(9, 1, 2, 3, 0)
	STEP(10, 2, 3, 0, 1)
	STEP(11, 3, 0, 1, 2)
	STEP(12, 0, 1, 2, 3)
	ROUNDS_OF(13, 0, 1)
	LANE(13, 1, %xmm11, %xmm12, 1, 3, 0, 1, 2)
	LANE(13, 2, %xmm9, %xmm10, 1, 3, 0, 1, 2)
	LANE(13, 3, %xmm11, %xmm12, 1, 3, 0, 1, 2)
	ROUNDS_ONLY(14, 2)
	ROUNDS_ONLY(15, 3)
	ADD(0, X0)
	ADD(16, Y0)
	ADD(32, X1)
	ADD(48, Y1)
	ADD(64, X2)
	ADD(80, Y2)
	ADD(96, X3)
	ADD(112, Y3)
	add	$64, DATA0
	add	$64, DATA1
	add	$64, DATA2
	add	$64, DATA3
	dec	%edx
	jne	.Lblock
	ret
	.cfi_endproc
	.size	lanes_shani_sha256_x4, . - lanes_shani_sha256_x4

	.section .note.GNU-stack, "", @progbits
