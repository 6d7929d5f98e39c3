Require Import Reals Lra Lia List Permutation PArith Arith Bool.
From Coquelicot Require Import Coquelicot.
From Interval Require Import Tactic.
Import ListNotations.
Open Scope R_scope.

(* ---- Functions of the page that the library has not ---- *)

Definition logistic (x : R) : R := / (1 + exp (- x)).
Definition softplus (x : R) : R := ln (1 + exp x).
Definition tanh (x : R) : R := (exp x - exp (- x)) / (exp x + exp (- x)).
Definition sinh (x : R) : R := (exp x - exp (- x)) / 2.
Definition cosh (x : R) : R := (exp x + exp (- x)) / 2.
Definition greater (a b : R) : R := if Rlt_dec b a then 1 else 0.
Definition at_least (a b : R) : R := if Rle_dec b a then 1 else 0.
Definition sign (x : R) : R := if Rlt_dec 0 x then 1 else if Rlt_dec x 0 then -1 else 0.
Definition erf (x : R) : R := 2 / sqrt PI * RInt (fun t => exp (- t ^ 2)) 0 x.
Definition atan2 (y x : R) : R :=
  if Rlt_dec 0 x then atan (y / x) else if Rlt_dec x 0
  then if Rle_dec 0 y then atan (y / x) + PI else atan (y / x) - PI
  else PI / 2 * sign y.
Definition where_ (c a b : R) : R := if Req_EM_T c 1 then a else b.

(* ---- Finite sums over an axis, of any size ---- *)

Fixpoint total (n : nat) (f : nat -> R) : R :=
  match n with O => 0 | S m => total m f + f m end.
Definition delta (i j : nat) : R := if Nat.eqb i j then 1 else 0.

Lemma total_ext n f g : (forall i, (i < n)%nat -> f i = g i) -> total n f = total n g.
Proof.
  induction n as [|n IH]; intros H; [reflexivity|]. cbn. rewrite H by lia.
  rewrite IH; [reflexivity|]. intros; apply H; lia.
Qed.
Lemma total_zero n : total n (fun _ => 0) = 0.
Proof. induction n as [|n IH]; cbn; [|rewrite IH]; ring. Qed.
Lemma total_const n c : total n (fun _ => c) = INR n * c.
Proof. induction n as [|n IH]; [cbn; ring|]. cbn [total]. rewrite IH, S_INR. ring. Qed.
Lemma total_plus n f g : total n (fun i => f i + g i) = total n f + total n g.
Proof. induction n as [|n IH]; cbn; [|rewrite IH]; ring. Qed.
Lemma total_mult n c f : total n (fun i => c * f i) = c * total n f.
Proof. induction n as [|n IH]; cbn; [|rewrite IH]; ring. Qed.
Lemma total_swap n m f :
  total n (fun i => total m (fun j => f i j)) = total m (fun j => total n (fun i => f i j)).
Proof.
  induction n as [|n IH]; cbn; [rewrite total_zero; reflexivity|]. rewrite IH, total_plus. reflexivity.
Qed.
Lemma total_pos n f : (0 < n)%nat -> (forall i, (i < n)%nat -> 0 < f i) -> 0 < total n f.
Proof.
  induction n as [|n IH]; intros N H; [lia|]. cbn. destruct n as [|n].
  - assert (0 < f 0%nat) by (apply H; lia). cbn. lra.
  - assert (0 < total (S n) f) by (apply IH; [lia|intros; apply H; lia]).
    assert (0 < f (S n)) by (apply H; lia). lra.
Qed.
Lemma total_not_below n f : (forall i, (i < n)%nat -> 0 <= f i) -> 0 <= total n f.
Proof.
  induction n as [|n IH]; intros H; cbn; [lra|].
  assert (0 <= total n f) by (apply IH; intros; apply H; lia).
  assert (0 <= f n) by (apply H; lia). lra.
Qed.
Lemma total_none n a f : (n <= a)%nat -> total n (fun i => f i * delta i a) = 0.
Proof.
  induction n as [|n IH]; intros L; cbn; [reflexivity|]. rewrite IH by lia. unfold delta.
  rewrite (proj2 (Nat.eqb_neq n a)) by lia. ring.
Qed.
Lemma total_pick n a f : (a < n)%nat -> total n (fun i => f i * delta i a) = f a.
Proof.
  induction n as [|n IH]; intros L; [lia|]. cbn [total].
  destruct (Nat.eq_dec n a) as [E|E].
  - subst a. rewrite total_none by lia. unfold delta. rewrite Nat.eqb_refl. ring.
  - rewrite IH by lia. unfold delta. rewrite (proj2 (Nat.eqb_neq n a)) by lia. ring.
Qed.
Lemma delta_same i : delta i i = 1.
Proof. unfold delta. rewrite Nat.eqb_refl. reflexivity. Qed.
Lemma delta_next i j : delta (S i) (S j) = delta i j.
Proof. reflexivity. Qed.
Lemma delta_other i j : i <> j -> delta i j = 0.
Proof. intros N. unfold delta. rewrite (proj2 (Nat.eqb_neq i j) N). reflexivity. Qed.
Lemma total_at n a f :
  (a < n)%nat -> (forall i, (i < n)%nat -> i <> a -> f i = 0) -> total n f = f a.
Proof.
  intros L Z. rewrite (total_ext n f (fun i => f i * delta i a)); [apply total_pick; assumption|].
  intros i I. destruct (Nat.eq_dec i a) as [->|N]; [rewrite delta_same; ring|].
  rewrite (Z i I N). ring.
Qed.

(* ---- Recurrences: what is carried from step to step, and back ---- *)

Fixpoint earlier {A : Type} (first : A) (next : nat -> A -> A) (t : nat) : A :=
  match t with O => first | S s => next s (earlier first next s) end.
(* What comes back to step t from the steps after it, of n steps. *)
Definition later {A : Type} (n : nat) (first : A) (next : nat -> A -> A) (t : nat) : A :=
  earlier first (fun m => next (n - 1 - m)%nat) (n - 1 - t).
Definition after (n : nat) (f : nat -> R) (t : nat) : R := if Nat.ltb (S t) n then f (S t) else 0.
Definition before (f : nat -> R) (t : nat) : R := match t with O => 0 | S s => f s end.

Lemma later_next {A} n (first : A) next t :
  (S t < n)%nat -> later n first next t = next (S t) (later n first next (S t)).
Proof.
  intros L. unfold later. replace (n - 1 - t)%nat with (S (n - 1 - S t)) by lia. cbn [earlier].
  replace (n - 1 - (n - 1 - S t))%nat with (S t) by lia. reflexivity.
Qed.
Lemma later_none {A} n (first : A) next t : (n <= S t)%nat -> later n first next t = first.
Proof. intros L. unfold later. replace (n - 1 - t)%nat with 0%nat by lia. reflexivity. Qed.
Lemma total_shift m f g :
  (forall t, (t < m)%nat -> f t = g (S t)) -> g 0%nat = 0 -> total m f = total (S m) g.
Proof.
  induction m as [|m IH]; intros H Z; [cbn; rewrite Z; ring|].
  change (total m f + f m = total (S m) g + g (S m)).
  rewrite H by lia. rewrite IH; [reflexivity|intros; apply H; lia|assumption].
Qed.
(* By induction over the steps: what comes back times what there is, and what comes times it. *)
Lemma total_steps n f g :
  (forall t, (S t < n)%nat -> f t = g (S t)) -> (forall t, (n <= S t)%nat -> f t = 0) ->
  g 0%nat = 0 -> total n f = total n g.
Proof.
  destruct n as [|n]; intros H N Z; [reflexivity|].
  change (total n f + f n = total (S n) g). rewrite N by lia.
  rewrite (total_shift n f g); [ring|intros; apply H; lia|assumption].
Qed.
(* The same for a recurrence that begins at the last step. *)
Lemma total_steps_back n f g :
  (forall t, (S t < n)%nat -> f (S t) = g t) -> f 0%nat = 0 ->
  (forall t, (n <= S t)%nat -> g t = 0) -> total n f = total n g.
Proof.
  intros H Z N. symmetry. apply total_steps; [intros; symmetry; apply H|..]; assumption.
Qed.
Lemma from_the_last n (P : nat -> Prop) : (forall t, (n <= S t)%nat -> P t) ->
  (forall t, (S t < n)%nat -> P (S t) -> P t) -> forall t, P t.
Proof.
  intros L H. enough (E : forall m t, (n <= S t + m)%nat -> P t) by (intros t; apply (E n); lia).
  induction m as [|m IH]; intros t M; [apply L; lia|].
  destruct (Nat.lt_ge_cases (S t) n); [apply H; [assumption|apply IH; lia]|apply L; assumption].
Qed.

(* ---- What is surely above zero ---- *)

Lemma logistic_pos x : 0 < logistic x.
Proof. unfold logistic. apply Rinv_0_lt_compat. generalize (exp_pos (- x)); lra. Qed.
Lemma one_minus_logistic_pos x : 0 < 1 - logistic x.
Proof.
  unfold logistic. replace (1 - / (1 + exp (- x))) with (exp (- x) * / (1 + exp (- x))).
  - apply Rmult_lt_0_compat; [apply exp_pos|]. apply Rinv_0_lt_compat. generalize (exp_pos (- x)); lra.
  - field. generalize (exp_pos (- x)); lra.
Qed.
(* In a form that reads x once, as bounds want it. *)
Lemma tanh_once x : tanh x = 1 - 2 / (1 + exp (2 * x)).
Proof.
  unfold tanh. replace (2 * x) with (x + x) by ring. rewrite exp_plus, exp_Ropp.
  assert (P := exp_pos x). field. nra.
Qed.
Lemma cosh_pos x : 0 < cosh x.
Proof. unfold cosh. generalize (exp_pos x) (exp_pos (- x)); lra. Qed.

Ltac head e := match e with ?f _ => head f | _ => e end.
Ltac open e := let f := head e in first [is_var f; fail 1 | unfold f].
Ltac surely := match goal with
  | |- _ => assumption
  | H : forall _, _ |- _ => apply H; assumption
  | |- _ => lra
  | |- _ ^ _ <> 0 => apply pow_nonzero; surely
  | |- _ * _ <> 0 => apply Rmult_integral_contrapositive_currified; surely
  | |- ?x <> 0 => apply Rgt_not_eq; unfold Rgt; surely
  | |- ?x > 0 => unfold Rgt; surely
  | |- 0 <= ?e => surely_not_below
  | |- 0 < exp _ => apply exp_pos
  | |- 0 < total _ _ => apply total_pos; [assumption|intros; surely]
  | |- 0 < logistic _ => apply logistic_pos
  | |- 0 < 1 - logistic _ => apply one_minus_logistic_pos
  | |- 0 < cosh _ => apply cosh_pos
  | |- 0 < PI => apply PI_RGT_0
  | |- 0 < sqrt _ => apply sqrt_lt_R0; surely
  | |- 0 < / _ => apply Rinv_0_lt_compat; surely
  | |- 0 < _ / _ => apply Rdiv_lt_0_compat; surely
  | |- 0 < _ * _ => apply Rmult_lt_0_compat; surely
  | |- 0 < _ ^ _ => apply pow_lt; surely
  | |- 0 < _ + _ => apply Rplus_le_lt_0_compat; [surely_not_below|surely]
  | |- 0 < _ + _ => apply Rplus_lt_le_0_compat; [surely|surely_not_below]
  | |- 0 < 1 - ?e ^ 2 =>
      replace (1 - e ^ 2) with ((e + 1) * (1 - e)) by ring; apply Rmult_lt_0_compat; surely
  | |- 0 < 1 - ?e => open e; surely
  | |- 0 < ?e => open e; surely
  end
with surely_not_below := match goal with
  | |- _ => assumption
  | |- _ => lra
  | |- 0 <= _ ^ 2 => apply pow2_ge_0
  | |- 0 <= total _ _ => apply total_not_below; intros; surely_not_below
  | |- 0 <= exp _ => apply Rlt_le, exp_pos
  | |- 0 <= logistic _ => apply Rlt_le, logistic_pos
  | |- 0 <= cosh _ => apply Rlt_le, cosh_pos
  | |- 0 <= sqrt _ => apply sqrt_pos
  | |- 0 <= Rabs _ => apply Rabs_pos
  | |- 0 <= _ + _ => apply Rplus_le_le_0_compat; surely_not_below
  | |- 0 <= _ * _ => apply Rmult_le_pos; surely_not_below
  | |- 0 <= _ / _ => apply Rdiv_le_0_compat; [surely_not_below|surely]
  | |- 0 <= / _ => apply Rlt_le, Rinv_0_lt_compat; surely
  | |- 0 <= _ ^ _ => apply pow_le; surely_not_below
  | |- 0 <= ?e => open e; surely_not_below
  end.

(* ---- How quantities move: a value, and a derivative at 0 ---- *)

Definition moves (f : R -> R) (value slope : R) : Prop := f 0 = value /\ is_derive f 0 slope.
Definition stays (f : R -> R) (value : R) : Prop := locally 0 (fun x => f x = value).

Lemma moves_as f v d v' d' : moves f v d -> v = v' -> d = d' -> moves f v' d'.
Proof. intros H <- <-. exact H. Qed.
Lemma moves_ext f g v d : (forall x, f x = g x) -> moves f v d -> moves g v d.
Proof. intros E [<- F]. split; [symmetry; apply E|exact (is_derive_ext f g 0 d E F)]. Qed.
Lemma moves_const c : moves (fun _ => c) c 0.
Proof. split; [reflexivity|]. apply @is_derive_const. Qed.
Lemma moves_plus f g v u d e :
  moves f v d -> moves g u e -> moves (fun x => f x + g x) (v + u) (d + e).
Proof. intros [<- F] [<- G]. split; [reflexivity|]. apply (is_derive_plus f g 0 d e F G). Qed.
Lemma moves_opp f v d : moves f v d -> moves (fun x => - f x) (- v) (- d).
Proof. intros [<- F]. split; [reflexivity|]. apply (is_derive_opp f 0 d F). Qed.
Lemma moves_minus f g v u d e :
  moves f v d -> moves g u e -> moves (fun x => f x - g x) (v - u) (d - e).
Proof. intros [<- F] [<- G]. split; [reflexivity|]. apply (is_derive_minus f g 0 d e F G). Qed.
Lemma moves_mult f g v u d e :
  moves f v d -> moves g u e -> moves (fun x => f x * g x) (v * u) (d * u + v * e).
Proof.
  intros [<- F] [<- G]. split; [reflexivity|].
  apply (is_derive_mult f g 0 d e F G). intros; apply Rmult_comm.
Qed.
Lemma moves_through (h : R -> R) f v d s :
  is_derive h v s -> moves f v d -> moves (fun x => h (f x)) (h v) (s * d).
Proof.
  intros H [<- F]. split; [reflexivity|]. rewrite Rmult_comm.
  apply (is_derive_comp h f 0 s d H F).
Qed.
Ltac through h := intros; apply (moves_through h); [unfold h; auto_derive|assumption].
Lemma moves_inv f v d : moves f v d -> v <> 0 -> moves (fun x => / f x) (/ v) (- / v ^ 2 * d).
Proof. intros. apply (moves_through Rinv); [auto_derive; [assumption|field; assumption]|assumption]. Qed.
Lemma moves_div f g v u d e :
  moves f v d -> moves g u e -> u <> 0 ->
  moves (fun x => f x / g x) (v / u) (d * / u + v * (- / u ^ 2 * e)).
Proof. intros F G N. apply (moves_mult f (fun x => / g x) v (/ u)); [|apply moves_inv]; assumption. Qed.
Lemma moves_pow n f v d :
  moves f v d -> moves (fun x => f x ^ n) (v ^ n) (INR n * v ^ pred n * d).
Proof.
  intros. apply (moves_through (fun x => x ^ n)); [|assumption].
  auto_derive; [exact I|]. ring.
Qed.
Lemma moves_exp f v d : moves f v d -> moves (fun x => exp (f x)) (exp v) (exp v * d).
Proof. intros. apply (moves_through exp); [apply is_derive_exp|assumption]. Qed.
Lemma moves_ln f v d : moves f v d -> 0 < v -> moves (fun x => ln (f x)) (ln v) (/ v * d).
Proof. intros. apply (moves_through ln); [apply is_derive_ln; assumption|assumption]. Qed.
Lemma moves_sqrt f v d :
  moves f v d -> 0 < v -> moves (fun x => sqrt (f x)) (sqrt v) (/ (2 * sqrt v) * d).
Proof.
  intros. apply (moves_through sqrt); [|assumption].
  auto_derive; [assumption|]. field. apply Rgt_not_eq, sqrt_lt_R0; assumption.
Qed.
Lemma moves_sin f v d : moves f v d -> moves (fun x => sin (f x)) (sin v) (cos v * d).
Proof. intros. apply (moves_through sin); [apply is_derive_sin|assumption]. Qed.
Lemma moves_cos f v d : moves f v d -> moves (fun x => cos (f x)) (cos v) (- sin v * d).
Proof. intros. apply (moves_through cos); [apply is_derive_cos|assumption]. Qed.
Lemma moves_atan f v d : moves f v d -> moves (fun x => atan (f x)) (atan v) (/ (1 + v ^ 2) * d).
Proof.
  intros. apply (moves_through atan); [|assumption].
  apply is_derive_Reals, derivable_pt_lim_atan.
Qed.
Lemma moves_asin f v d : moves f v d -> 0 < v + 1 -> 0 < 1 - v ->
  moves (fun x => asin (f x)) (asin v) (/ sqrt (1 - v ^ 2) * d).
Proof.
  intros M L H. apply (moves_through asin); [|assumption].
  assert (B : -1 < v < 1) by lra. apply is_derive_Reals.
  apply (derive_pt_eq_1 asin v _ (derivable_pt_asin v B)). rewrite derive_pt_asin.
  rewrite Rsqr_pow2. unfold Rdiv. ring.
Qed.
Lemma moves_acos f v d : moves f v d -> 0 < v + 1 -> 0 < 1 - v ->
  moves (fun x => acos (f x)) (acos v) (- / sqrt (1 - v ^ 2) * d).
Proof.
  intros M L H. apply (moves_through acos); [|assumption].
  assert (B : -1 < v < 1) by lra. apply is_derive_Reals.
  apply (derive_pt_eq_1 acos v _ (derivable_pt_acos v B)). rewrite derive_pt_acos.
  rewrite Rsqr_pow2. unfold Rdiv. ring.
Qed.
Lemma moves_erf f v d :
  moves f v d -> moves (fun x => erf (f x)) (erf v) (2 / sqrt PI * exp (- v ^ 2) * d).
Proof.
  intros. apply (moves_through erf); [|assumption].
  assert (C : forall t, continuous (fun t => exp (- t ^ 2)) t).
  { intros t. apply (ex_derive_continuous (fun t => exp (- t ^ 2))). auto_derive. exact I. }
  apply (is_derive_scal (fun x => RInt (fun t => exp (- t ^ 2)) 0 x) v (2 / sqrt PI)).
  apply (is_derive_RInt (fun t => exp (- t ^ 2)) _ 0 v); [|apply C].
  apply filter_forall. intros b. apply (RInt_correct (fun t => exp (- t ^ 2))).
  apply (ex_RInt_continuous (fun t => exp (- t ^ 2))). intros; apply C.
Qed.
Lemma moves_logistic f v d :
  moves f v d -> moves (fun x => logistic (f x)) (logistic v) (logistic v * (1 - logistic v) * d).
Proof.
  through logistic; [|field]; generalize (exp_pos (- v)); lra.
Qed.
Lemma moves_softplus f v d :
  moves f v d -> moves (fun x => softplus (f x)) (softplus v) (logistic v * d).
Proof.
  intros. apply (moves_through softplus); [|assumption].
  unfold softplus, logistic. auto_derive; [generalize (exp_pos v); lra|].
  rewrite exp_Ropp. field. generalize (exp_pos v); lra.
Qed.
Lemma moves_tanh f v d :
  moves f v d -> moves (fun x => tanh (f x)) (tanh v) ((1 - tanh v ^ 2) * d).
Proof.
  intros. apply (moves_through tanh); [|assumption].
  unfold tanh. auto_derive; [generalize (exp_pos v) (exp_pos (- v)); lra|].
  field. generalize (exp_pos v) (exp_pos (- v)); lra.
Qed.
Lemma moves_sinh f v d : moves f v d -> moves (fun x => sinh (f x)) (sinh v) (cosh v * d).
Proof. intros. apply (moves_through sinh); [unfold sinh, cosh; auto_derive; [exact I|field]|assumption]. Qed.
Lemma moves_cosh f v d : moves f v d -> moves (fun x => cosh (f x)) (cosh v) (sinh v * d).
Proof. intros. apply (moves_through cosh); [unfold sinh, cosh; auto_derive; [exact I|field]|assumption]. Qed.

Lemma moves_total n (f : R -> nat -> R) v d :
  (forall i, (i < n)%nat -> moves (fun x => f x i) (v i) (d i)) ->
  moves (fun x => total n (f x)) (total n v) (total n d).
Proof.
  induction n as [|n IH]; intros H; cbn; [apply moves_const|].
  apply moves_plus; [apply IH; intros; apply H; lia|apply H; lia].
Qed.

(* ---- Kinks: away from them one side is taken ---- *)

Lemma near f v d : moves f v d -> continuous f 0.
Proof. intros [_ F]. apply (ex_derive_continuous f). exists d. exact F. Qed.
Lemma stays_above f v d : moves f v d -> 0 < v -> locally 0 (fun x => 0 < f x).
Proof.
  intros F P. assert (C := near f v d F). destruct F as [E _].
  apply (C (fun y => 0 < y)). rewrite E. apply (open_gt 0 v P).
Qed.
Lemma moves_locally f g v d : locally 0 (fun x => f x = g x) -> moves f v d -> moves g v d.
Proof.
  intros L [E F]. split.
  - rewrite <- E. symmetry. exact (locally_singleton _ _ L).
  - exact (is_derive_ext_loc f g 0 d L F).
Qed.
Lemma apart f g v u d e : moves f v d -> moves g u e -> v <> u ->
  (v < u /\ locally 0 (fun x => f x < g x)) \/ (u < v /\ locally 0 (fun x => g x < f x)).
Proof.
  intros F G N. destruct (Rdichotomy v u N) as [L|L]; [left|right]; (split; [lra|]).
  - assert (P : 0 < u - v) by lra.
    generalize (stays_above _ _ _ (moves_minus g f u v e d G F) P). apply filter_imp. intros; lra.
  - assert (P : 0 < v - u) by lra.
    generalize (stays_above _ _ _ (moves_minus f g v u d e F G) P). apply filter_imp. intros; lra.
Qed.
Lemma moves_atan2 f g v u d e : moves f v d -> moves g u e -> 0 < u ->
  moves (fun x => atan2 (f x) (g x)) (atan2 v u)
    (u / (u ^ 2 + v ^ 2) * d + - (v / (u ^ 2 + v ^ 2)) * e).
Proof.
  intros F G P. apply (moves_locally (fun x => atan (f x / g x))).
  - generalize (stays_above g u e G P). apply filter_imp. intros x L.
    unfold atan2. destruct (Rlt_dec 0 (g x)); [reflexivity|contradiction].
  - assert (N : u <> 0) by lra.
    assert (S : u ^ 2 + v ^ 2 <> 0) by (generalize (pow_lt u 2 P) (pow2_ge_0 v); lra).
    assert (T : 1 + (v / u) ^ 2 <> 0) by (generalize (pow2_ge_0 (v / u)); lra).
    apply (moves_as _ _ _ (atan2 v u) _ (moves_atan _ _ _ (moves_div f g v u d e F G N))).
    { unfold atan2. destruct (Rlt_dec 0 u); [reflexivity|contradiction]. }
    field. repeat split; lra.
Qed.
Ltac never := exfalso; first [ lra | match goal with N : ~ _ |- _ => apply N; solve [surely] end ].
(* Choices are made from the inside out. *)
Ltac settled e := lazymatch e with
  | context [Rlt_dec _ _] => fail | context [Rle_dec _ _] => fail
  | context [Req_EM_T _ _] => fail | _ => idtac end.
Ltac settle := repeat match goal with
  | |- context [Rlt_dec ?a ?b] => settled a; settled b; destruct (Rlt_dec a b); try never
  | |- context [Rle_dec ?a ?b] => settled a; settled b; destruct (Rle_dec a b); try never
  | |- context [Req_EM_T ?a ?b] => destruct (Req_EM_T a b); try never end.
Lemma moves_max f g v u d e : moves f v d -> moves g u e -> v <> u ->
  moves (fun x => Rmax (f x) (g x)) (Rmax v u) (greater v u * d + greater u v * e).
Proof.
  intros F G N. unfold greater. destruct (apart f g v u d e F G N) as [[L A]|[L A]].
  - apply (moves_locally g); [revert A; apply filter_imp; intros; rewrite Rmax_right; lra|].
    rewrite Rmax_right by lra. apply (moves_as g u e); [assumption|reflexivity|settle; ring].
  - apply (moves_locally f); [revert A; apply filter_imp; intros; rewrite Rmax_left; lra|].
    rewrite Rmax_left by lra. apply (moves_as f v d); [assumption|reflexivity|settle; ring].
Qed.
Lemma moves_min f g v u d e : moves f v d -> moves g u e -> v <> u ->
  moves (fun x => Rmin (f x) (g x)) (Rmin v u) (greater u v * d + greater v u * e).
Proof.
  intros F G N. unfold greater. destruct (apart f g v u d e F G N) as [[L A]|[L A]].
  - apply (moves_locally f); [revert A; apply filter_imp; intros; rewrite Rmin_left; lra|].
    rewrite Rmin_left by lra. apply (moves_as f v d); [assumption|reflexivity|settle; ring].
  - apply (moves_locally g); [revert A; apply filter_imp; intros; rewrite Rmin_right; lra|].
    rewrite Rmin_right by lra. apply (moves_as g u e); [assumption|reflexivity|settle; ring].
Qed.
Lemma moves_abs f v d :
  moves f v d -> v <> 0 -> moves (fun x => Rabs (f x)) (Rabs v) (sign v * d).
Proof.
  intros F N. unfold sign.
  destruct (apart f (fun _ => 0) v 0 d 0 F (moves_const 0) N) as [[L A]|[L A]].
  - apply (moves_locally (fun x => - f x));
      [revert A; apply filter_imp; intros; rewrite Rabs_left; lra|].
    rewrite Rabs_left by lra.
    apply (moves_as _ (- v) (- d)); [apply moves_opp; assumption|reflexivity|settle; ring].
  - apply (moves_locally f); [revert A; apply filter_imp; intros; rewrite Rabs_right; lra|].
    rewrite Rabs_right by lra. apply (moves_as f v d); [assumption|reflexivity|settle; ring].
Qed.
Lemma stays_const c : stays (fun _ => c) c.
Proof. unfold stays. apply filter_forall. reflexivity. Qed.
Lemma stays_greater f g v u d e : moves f v d -> moves g u e -> v <> u ->
  stays (fun x => greater (f x) (g x)) (greater v u).
Proof.
  intros F G N. unfold stays, greater.
  destruct (apart f g v u d e F G N) as [[L A]|[L A]];
    revert A; apply filter_imp; intros; settle; reflexivity.
Qed.
Lemma stays_at_least f g v u d e : moves f v d -> moves g u e -> v <> u ->
  stays (fun x => at_least (f x) (g x)) (at_least v u).
Proof.
  intros F G N. unfold stays, at_least.
  destruct (apart f g v u d e F G N) as [[L A]|[L A]];
    revert A; apply filter_imp; intros; settle; reflexivity.
Qed.
Lemma stays_sign f v d : moves f v d -> v <> 0 -> stays (fun x => sign (f x)) (sign v).
Proof.
  intros F N. unfold stays, sign.
  destruct (apart f (fun _ => 0) v 0 d 0 F (moves_const 0) N) as [[L A]|[L A]];
    revert A; apply filter_imp; intros; settle; reflexivity.
Qed.
Lemma stays_mult f g v u : stays f v -> stays g u -> stays (fun x => f x * g x) (v * u).
Proof. unfold stays. intros F G. generalize (filter_and _ _ F G). apply filter_imp. intros x [-> ->]. reflexivity. Qed.
Lemma stays_plus f g v u : stays f v -> stays g u -> stays (fun x => f x + g x) (v + u).
Proof. unfold stays. intros F G. generalize (filter_and _ _ F G). apply filter_imp. intros x [-> ->]. reflexivity. Qed.
Lemma moves_staying f v : stays f v -> moves f v 0.
Proof.
  intros S. apply (moves_locally (fun _ => v)); [|apply moves_const].
  revert S. unfold stays. apply filter_imp. intros; symmetry; assumption.
Qed.
Lemma moves_where c f g k v u d e : stays c k -> moves f v d -> moves g u e ->
  moves (fun x => where_ (c x) (f x) (g x)) (where_ k v u) (where_ k d e).
Proof.
  intros C F G. unfold stays in C. unfold where_ at 2 3. destruct (Req_EM_T k 1) as [K|K].
  - apply (moves_locally f); [|assumption]. revert C. apply filter_imp.
    intros x ->. unfold where_. destruct (Req_EM_T k 1); [reflexivity|contradiction].
  - apply (moves_locally g); [|assumption]. revert C. apply filter_imp.
    intros x ->. unfold where_. destruct (Req_EM_T k 1); [contradiction|reflexivity].
Qed.

(* One equation, taken apart from the outside: the rule of each operation, and nothing else. Parts
   that not every certificate has bring rules of their own. *)
Ltac take_more := fail.
Ltac open_rates := idtac.
Ltac open_values := idtac.
Ltac take_still := match goal with
  | |- stays (fun x => greater (@?f x) (@?g x)) _ => eapply stays_greater; [take_apart|take_apart|surely]
  | |- stays (fun x => at_least (@?f x) (@?g x)) _ => eapply stays_at_least; [take_apart|take_apart|surely]
  | |- stays (fun x => sign (@?f x)) _ => eapply stays_sign; [take_apart|surely]
  | |- stays (fun x => @?f x * @?g x) _ => eapply stays_mult; take_still
  | |- stays (fun x => @?f x + @?g x) _ => eapply stays_plus; take_still
  | |- stays (fun _ => ?c) _ => apply stays_const
  end
with take_apart := match goal with
  | |- moves _ _ _ => eassumption
  | H : forall _, _ |- moves _ _ _ => eapply H; eassumption
  | |- moves (fun _ => ?c) _ _ => apply moves_const
  | |- moves (fun x => total ?n (fun i => @?f x i)) _ _ => eapply (moves_total n f); intros; take_apart
  | |- moves (fun x => @?f x + @?g x) _ _ => eapply moves_plus; take_apart
  | |- moves (fun x => @?f x - @?g x) _ _ => eapply moves_minus; take_apart
  | |- moves (fun x => - @?f x) _ _ => eapply moves_opp; take_apart
  | |- moves (fun x => @?f x * @?g x) _ _ => eapply moves_mult; take_apart
  | |- moves (fun x => @?f x / @?g x) _ _ => eapply moves_div; [take_apart|take_apart|surely]
  | |- moves (fun x => / @?f x) _ _ => eapply moves_inv; [take_apart|surely]
  | |- moves (fun x => @?f x ^ ?n) _ _ => eapply (moves_pow n); take_apart
  | |- moves (fun x => exp (@?f x)) _ _ => eapply moves_exp; take_apart
  | |- moves (fun x => ln (@?f x)) _ _ => eapply moves_ln; [take_apart|surely]
  | |- moves (fun x => sqrt (@?f x)) _ _ => eapply moves_sqrt; [take_apart|surely]
  | |- moves (fun x => sin (@?f x)) _ _ => eapply moves_sin; take_apart
  | |- moves (fun x => cos (@?f x)) _ _ => eapply moves_cos; take_apart
  | |- moves (fun x => atan (@?f x)) _ _ => eapply moves_atan; take_apart
  | |- moves (fun x => asin (@?f x)) _ _ => eapply moves_asin; [take_apart|surely|surely]
  | |- moves (fun x => acos (@?f x)) _ _ => eapply moves_acos; [take_apart|surely|surely]
  | |- moves (fun x => atan2 (@?f x) (@?g x)) _ _ => eapply moves_atan2; [take_apart|take_apart|surely]
  | |- moves (fun x => erf (@?f x)) _ _ => eapply moves_erf; take_apart
  | |- moves (fun x => logistic (@?f x)) _ _ => eapply moves_logistic; take_apart
  | |- moves (fun x => softplus (@?f x)) _ _ => eapply moves_softplus; take_apart
  | |- moves (fun x => tanh (@?f x)) _ _ => eapply moves_tanh; take_apart
  | |- moves (fun x => sinh (@?f x)) _ _ => eapply moves_sinh; take_apart
  | |- moves (fun x => cosh (@?f x)) _ _ => eapply moves_cosh; take_apart
  | |- moves (fun x => Rmax (@?f x) (@?g x)) _ _ => eapply moves_max; [take_apart|take_apart|surely]
  | |- moves (fun x => Rmin (@?f x) (@?g x)) _ _ => eapply moves_min; [take_apart|take_apart|surely]
  | |- moves (fun x => Rabs (@?f x)) _ _ => eapply moves_abs; [take_apart|surely]
  | |- moves (fun x => where_ (@?c x) (@?f x) (@?g x)) _ _ => eapply moves_where; [take_still|take_apart|take_apart]
  | |- moves (fun x => greater _ _) _ _ => apply moves_staying; take_still
  | |- moves (fun x => at_least _ _) _ _ => apply moves_staying; take_still
  | |- moves (fun x => sign _) _ _ => apply moves_staying; take_still
  | |- moves _ _ _ => take_more
  end.

(* ---- The chain rule through a whole graph ---- *)

Fixpoint over {A : Type} (l : list A) (f : A -> R) : R :=
  match l with [] => 0 | a :: m => f a + over m f end.

Lemma over_ext {A} (l : list A) f g : (forall a, In a l -> f a = g a) -> over l f = over l g.
Proof.
  induction l as [|a l IH]; intros H; [reflexivity|]. cbn.
  rewrite H by (left; reflexivity). rewrite IH; [reflexivity|]. intros; apply H; right; assumption.
Qed.
Lemma over_plus {A} (l : list A) f g : over l (fun a => f a + g a) = over l f + over l g.
Proof. induction l as [|a l IH]; cbn; [|rewrite IH]; ring. Qed.
Lemma over_mult {A} (l : list A) c f : over l (fun a => c * f a) = c * over l f.
Proof. induction l as [|a l IH]; cbn; [|rewrite IH]; ring. Qed.
Lemma over_app {A} (l m : list A) f : over (l ++ m) f = over l f + over m f.
Proof. induction l as [|a l IH]; cbn; [|rewrite IH]; ring. Qed.
Lemma over_map {A B} (l : list A) (h : A -> B) f : over (map h l) f = over l (fun a => f (h a)).
Proof. induction l as [|a l IH]; cbn; [|rewrite IH]; reflexivity. Qed.
Lemma over_flat {A B} (l : list A) (h : A -> list B) f :
  over (flat_map h l) f = over l (fun a => over (h a) f).
Proof.
  induction l as [|a l IH]; cbn; [reflexivity|]. rewrite over_app, IH. reflexivity.
Qed.
Lemma over_perm {A} (l m : list A) f : Permutation l m -> over l f = over m f.
Proof. induction 1; cbn; lra. Qed.
Definition only (q k : positive) : R := if Pos.eqb k q then 1 else 0.
Lemma over_none (l : list positive) q f : ~ In q l -> over l (fun k => f k * only q k) = 0.
Proof.
  induction l as [|a l IH]; intros N; cbn; [reflexivity|]. rewrite IH by (cbn in N; tauto).
  unfold only. destruct (Pos.eqb_spec a q) as [E|E]; [subst; cbn in N; tauto|]. ring.
Qed.
Lemma over_only (l : list positive) q f :
  NoDup l -> In q l -> over l (fun k => f k * only q k) = f q.
Proof.
  induction 1 as [|a l N D IH]; intros I; [contradiction|].
  change (f a * only q a + over l (fun k => f k * only q k) = f q).
  destruct (Pos.eqb_spec a q) as [E|E].
  - subst a. rewrite over_none by assumption. unfold only. rewrite Pos.eqb_refl. ring.
  - rewrite IH by (cbn in I; tauto). unfold only. rewrite (proj2 (Pos.eqb_neq a q) E). ring.
Qed.

(* The scalars are numbered. Each reads some others (`operands`), each is read by some (`readers`):
   the same edges, sorted in two ways. *)
Section Graph.
Variables (all : list positive) (operands readers : positive -> list positive).
Variables (local : positive -> positive -> R) (adjoint : positive -> R) (loss : positive).
Definition forth := flat_map (fun k => map (fun j => (k, j)) (operands k)) all.
Definition back := flat_map (fun j => map (fun k => (k, j)) (readers j)) all.
Definition slopes_hold (slope dir : positive -> R) (k : positive) : Prop :=
  slope k = over (operands k) (fun j => local k j * slope j) + dir k.
Definition adjoint_holds (j : positive) : Prop :=
  adjoint j = over (readers j) (fun k => adjoint k * local k j) + only loss j.
Theorem adjoints_are_enough (slope dir : positive -> R) :
  NoDup all -> In loss all -> Permutation forth back ->
  List.Forall (slopes_hold slope dir) all -> List.Forall adjoint_holds all ->
  slope loss = over all (fun k => adjoint k * dir k).
Proof.
  intros N L P S A. rewrite Forall_forall in S, A.
  assert (H1 : over all (fun k => adjoint k * slope k) =
    over forth (fun e => adjoint (fst e) * local (fst e) (snd e) * slope (snd e)) +
    over all (fun k => adjoint k * dir k)).
  { unfold forth. rewrite over_flat, <- over_plus. apply over_ext. intros k I.
    rewrite over_map. cbn. rewrite (S k I), Rmult_plus_distr_l, <- over_mult. f_equal.
    apply over_ext. intros. ring. }
  assert (H2 : over all (fun k => adjoint k * slope k) =
    over back (fun e => adjoint (fst e) * local (fst e) (snd e) * slope (snd e)) + slope loss).
  { unfold back. rewrite over_flat, <- (over_only all loss slope N L), <- over_plus.
    apply over_ext. intros k I. rewrite over_map. cbn. rewrite (A k I).
    rewrite Rmult_comm, Rmult_plus_distr_l, <- over_mult. f_equal.
    apply over_ext. intros. ring. }
  rewrite (over_perm _ _ _ P) in H1. lra.
Qed.
End Graph.

(* Two lists of pairs are permutations of each other: found by taking them away one by one. *)
Definition pair_eqb (a b : positive * positive) : bool :=
  Pos.eqb (fst a) (fst b) && Pos.eqb (snd a) (snd b).
Fixpoint without (a : positive * positive) (l : list (positive * positive)) :=
  match l with
  | [] => None
  | b :: m => if pair_eqb a b then Some m
      else match without a m with None => None | Some n => Some (b :: n) end
  end.
Fixpoint same_pairs (l m : list (positive * positive)) : bool :=
  match l with
  | [] => match m with [] => true | _ => false end
  | a :: l' => match without a m with None => false | Some m' => same_pairs l' m' end
  end.
Lemma without_perm a l m : without a l = Some m -> Permutation l (a :: m).
Proof.
  revert m. induction l as [|b l IH]; cbn; intros m H; [discriminate|].
  destruct (pair_eqb a b) eqn:E.
  - injection H as <-. unfold pair_eqb in E. apply andb_prop in E. destruct E as [E F].
    apply Pos.eqb_eq in E. apply Pos.eqb_eq in F. destruct a, b; cbn in *; subst. reflexivity.
  - destruct (without a l) as [n|]; [|discriminate]. injection H as <-.
    rewrite (IH n eq_refl). apply perm_swap.
Qed.
Lemma same_pairs_perm l m : same_pairs l m = true -> Permutation l m.
Proof.
  revert m. induction l as [|a l IH]; cbn; intros m H.
  - destruct m; [constructor|discriminate].
  - destruct (without a m) as [n|] eqn:E; [|discriminate].
    rewrite (without_perm _ _ _ E). constructor. apply IH, H.
Qed.
Fixpoint member (q : positive) (l : list positive) : bool :=
  match l with [] => false | a :: m => Pos.eqb q a || member q m end.
Lemma member_in q l : member q l = true -> In q l.
Proof.
  induction l as [|a l IH]; cbn; [discriminate|]. intros H. apply orb_prop in H.
  destruct H as [H|H]; [left; apply Pos.eqb_eq in H; congruence|right; apply IH, H].
Qed.
Fixpoint distinct (l : list positive) : bool :=
  match l with [] => true | a :: m => negb (member a m) && distinct m end.
Lemma in_member q l : In q l -> member q l = true.
Proof.
  induction l as [|a l IH]; cbn; [contradiction|]. intros [->|H]; [rewrite Pos.eqb_refl; reflexivity|].
  rewrite (IH H). apply orb_true_r.
Qed.
Lemma distinct_nodup l : distinct l = true -> NoDup l.
Proof.
  induction l as [|a l IH]; cbn; [constructor|]. intros H. apply andb_prop in H. destruct H as [H D].
  constructor; [|apply IH, D]. intros I. rewrite (in_member a l I) in H. discriminate.
Qed.

(* A movement of the graph: the scalar k is moved by x * d k. *)
Definition along (d : positive -> R) (x : R) (k : positive) : R := x * d k.
Lemma moves_nudged f v s d k :
  moves f v s -> moves (fun x => f x + along d x k) v (s + d k).
Proof.
  intros F. apply (moves_as _ (v + 0 * d k) (s + 1 * d k)); [|ring|ring].
  apply moves_plus; [assumption|]. split; [reflexivity|].
  unfold along. auto_derive; [exact I|ring].
Qed.

(* A movement of quantities over axes: that with the number k is moved by x * d k at each place. *)
Lemma moves_along c d : moves (fun x => c + x * d) c d.
Proof. split; [ring|]. auto_derive; [exact I|ring]. Qed.
Lemma moves_on f v s d : moves f v s -> moves (fun x => f x + x * d) v (s + d).
Proof.
  intros F. apply (moves_as _ (v + 0) (s + d)); [|ring|ring]. apply moves_plus; [assumption|].
  split; [ring|]. auto_derive; [exact I|ring].
Qed.
Fixpoint deltas (l m : list nat) : R := match l, m with
  | [], [] => 1
  | i :: l', j :: m' => delta i j * deltas l' m'
  | _, _ => 0 end.
Definition at_place (q : positive) (m : list nat) (k : positive) (l : list nat) : R :=
  if Pos.eqb k q then deltas l m else 0.
Fixpoint own (sizes l : list nat) (f d : list nat -> R) : R := match sizes with
  | [] => f l * d l
  | n :: rest => total n (fun i => own rest (l ++ [i]) f d) end.
Lemma own_none sizes f d : (forall l, d l = 0) -> forall l, own sizes l f d = 0.
Proof.
  intros D. induction sizes as [|n rest IH]; intros l; cbn; [rewrite D; ring|].
  rewrite <- (total_zero n). apply total_ext. intros; apply IH.
Qed.
Lemma deltas_split l m i j : length l = length m -> deltas (l ++ [i]) (m ++ [j]) = deltas l m * delta i j.
Proof.
  revert m. induction l as [|a l IH]; intros [|b m] H; cbn in *; try discriminate; [ring|].
  rewrite IH by lia. ring.
Qed.
Fixpoint within (m sizes : list nat) : Prop := match m, sizes with
  | [], [] => True
  | j :: m', n :: rest => (j < n)%nat /\ within m' rest
  | _, _ => False end.
Lemma own_at sizes f : forall m l o, within m sizes -> length l = length o ->
  own sizes l f (fun k => deltas k (o ++ m)) = deltas l o * f (l ++ m).
Proof.
  induction sizes as [|n rest IH]; intros [|j m] l o W L; cbn in W; try contradiction.
  - cbn. rewrite !app_nil_r. ring.
  - destruct W as [J W]. cbn [own].
    assert (S : forall i, (i < n)%nat -> own rest (l ++ [i]) f (fun k => deltas k (o ++ j :: m)) =
      (deltas l o * f ((l ++ [i]) ++ m)) * delta i j).
    { intros i _. specialize (IH m (l ++ [i]) (o ++ [j]) W).
      rewrite <- app_assoc in IH. cbn [app] in IH. rewrite IH by (rewrite !app_length; cbn; lia).
      rewrite deltas_split by assumption. ring. }
    rewrite (total_ext n _ _ S), total_pick by assumption. rewrite <- app_assoc. reflexivity.
Qed.
Lemma own_only sizes f m : within m sizes -> own sizes [] f (fun k => deltas k m) = f m.
Proof. intros W. etransitivity; [exact (own_at sizes f m [] [] W eq_refl)|cbn; ring]. Qed.

(* ---- Tactics of the theorems ---- *)

(* Sums that are one but for brackets. *)
Lemma regroup l a : fold_left Rplus l a = a + fold_right Rplus 0 l.
Proof. revert a. induction l as [|b l IH]; intros a; cbn; [ring|]. rewrite IH. ring. Qed.
Ltac regroup_of e l := lazymatch e with
  | ?a + ?b => regroup_of a constr:(b :: l)
  | _ => constr:(regroup l e) end.
Ltac regrouped := lazymatch goal with
  | |- ?e = _ + 0 => let P := regroup_of e (@nil R) in
      first [exact (eq_trans P (eq_sym (Rplus_0_r _))) | ring]
  | |- ?e = _ => let P := regroup_of e (@nil R) in first [exact P | ring] end.
Ltac lift := intros; eapply moves_as; [take_apart|reflexivity|].
Ltac sides := repeat split; solve [surely | intro; nra].
Ltac kinks := progress (unfold greater, at_least, atan2, sign, where_, Rmax, Rmin); settle.
(* A root is a number whose square is what it is the root of. *)
Ltac name_root := match goal with |- context [sqrt ?e] =>
  let s := fresh "s" in let P := fresh "P" in let Q := fresh "Q" in let T := fresh "T" in
  assert (P : 0 < sqrt e) by (apply sqrt_lt_R0; surely);
  assert (Q : e = sqrt e * sqrt e) by (symmetry; apply sqrt_sqrt, Rlt_le; surely);
  revert P Q; generalize (sqrt e); intros s P Q;
  match type of Q with
  | ?a + ?b = _ => assert (T : a = s * s - b) by lra; rewrite ?T
  | _ => rewrite ?Q end end.
(* Powers of e whose exponents are one but for a root of a number. *)
Ltac same_powers := match goal with |- context [sqrt ?n] =>
  let S := fresh "S" in assert (S : sqrt n * sqrt n = n) by (apply sqrt_sqrt; lra);
  match goal with |- context [exp ?a] => match goal with |- context [exp ?b] =>
    lazymatch a with b => fail | _ => idtac end;
    replace (exp a) with (exp b) by (f_equal; field [S]); solve [field [S]; sides] end end end.
Ltac equal := cbn [pred INR]; open_rates; first
  [ ring | field; sides | kinks; first [ring | field; sides | lra]
  | progress (repeat name_root); field; sides | same_powers ].
(* A term as one part without a sum over n, and one sum over n. *)
Definition splits (n : nat) (e a : R) (f : nat -> R) : Prop := e = a + total n f.
Lemma splits_total n f : splits n (total n f) 0 f.
Proof. unfold splits. ring. Qed.
Lemma splits_other n e : splits n e e (fun _ => 0).
Proof. unfold splits. rewrite total_zero. ring. Qed.
Lemma splits_plus n e a f e' a' f' :
  splits n e a f -> splits n e' a' f' -> splits n (e + e') (a + a') (fun i => f i + f' i).
Proof. unfold splits. intros -> ->. rewrite total_plus. ring. Qed.
Lemma splits_mult n c e a f : splits n e a f -> splits n (c * e) (c * a) (fun i => c * f i).
Proof. unfold splits. intros ->. rewrite total_mult. ring. Qed.
Lemma splits_times n c e a f : splits n e a f -> splits n (e * c) (a * c) (fun i => f i * c).
Proof.
  unfold splits. intros ->. rewrite (total_ext n (fun i => f i * c) (fun i => c * f i)).
  - rewrite total_mult. ring.
  - intros; ring.
Qed.
Lemma splits_opp n e a f : splits n e a f -> splits n (- e) (- a) (fun i => - f i).
Proof.
  unfold splits. intros ->. rewrite (total_ext n (fun i => - f i) (fun i => -1 * f i)).
  - rewrite total_mult. ring.
  - intros; ring.
Qed.
Lemma splits_minus n e a f e' a' f' :
  splits n e a f -> splits n e' a' f' -> splits n (e - e') (a - a') (fun i => f i - f' i).
Proof. intros H H'. apply (splits_plus n e a f (- e')); [assumption|apply splits_opp; assumption]. Qed.
Lemma splits_div n c e a f : splits n e a f -> splits n (e / c) (a / c) (fun i => f i / c).
Proof. apply splits_times. Qed.
Lemma splits_under n m e a f :
  (forall j, (j < m)%nat -> splits n (e j) (a j) (f j)) ->
  splits n (total m e) (total m a) (fun i => total m (fun j => f j i)).
Proof.
  unfold splits. intros H. rewrite (total_ext m e _ H), total_plus, total_swap. reflexivity.
Qed.
Lemma splits_equal n e a f e' a' f' :
  splits n e a f -> splits n e' a' f' -> a = a' -> (forall i, (i < n)%nat -> f i = f' i) -> e = e'.
Proof. unfold splits. intros -> -> -> H. rewrite (total_ext n f f' H). reflexivity. Qed.

(* Sums at which a term is linear: those outside of other functions. *)
Ltac has_sum n e := match e with
  | total n _ => idtac
  | total _ ?f => match f with context [total n _] => idtac end
  | ?a + ?b => first [has_sum n a | has_sum n b]
  | ?a - ?b => first [has_sum n a | has_sum n b]
  | ?a * ?b => first [has_sum n a | has_sum n b]
  | - ?a => has_sum n a
  | ?a / _ => has_sum n a end.
Ltac a_sum e := match e with
  | total ?n _ => n
  | ?a + ?b => match constr:(Set) with _ => a_sum a | _ => a_sum b end
  | ?a - ?b => match constr:(Set) with _ => a_sum a | _ => a_sum b end
  | ?a * ?b => match constr:(Set) with _ => a_sum a | _ => a_sum b end
  | - ?a => a_sum a
  | ?a / _ => a_sum a end.
Ltac split_sums := match goal with
  | |- splits ?n (total ?n _) _ _ => apply splits_total
  | |- splits ?n (total ?m ?f) _ _ => has_sum n (total m f); eapply splits_under; intros; split_sums
  | |- splits ?n (?a + ?b) _ _ => has_sum n (a + b); eapply splits_plus; split_sums
  | |- splits ?n (?a - ?b) _ _ => has_sum n (a - b); eapply splits_minus; split_sums
  | |- splits ?n (- ?a) _ _ => has_sum n a; eapply splits_opp; split_sums
  | |- splits ?n (?a * _) _ _ => has_sum n a; eapply splits_times; split_sums
  | |- splits ?n (_ * ?b) _ _ => has_sum n b; eapply splits_mult; split_sums
  | |- splits ?n (?a / _) _ _ => has_sum n a; eapply splits_div; split_sums
  | |- _ => apply splits_other
  end.
(* Sums are equal if their terms are: those over axes of one size are put together. *)
Ltac sums := cbv beta; match goal with
  | |- ?e = ?e' =>
      let n := match constr:(Set) with _ => a_sum e | _ => a_sum e' end in
      eapply (splits_equal n); [split_sums|split_sums|sums|intros; sums]
  | |- _ => equal
  end.
(* A place told by a number is on its axis, or beyond it, as H says how long that is. *)
Ltac placed H := first [ assumption | lia
  | apply INR_lt; rewrite H, INR_IZR_INZ; apply IZR_lt; reflexivity
  | apply INR_le; rewrite H, INR_IZR_INZ; apply IZR_le; discriminate ].
Ltac no_deltas := rewrite ?delta_next; repeat match goal with |- context [delta ?i ?j] =>
  rewrite (delta_other i j) by first [discriminate | lia] end.
(* With an axis as long as the spec has it, deltas are zero that are one beyond its end. *)
Ltac with_length H n m := let E := fresh "E" in
  assert (E : n = m) by (apply INR_eq; rewrite H, INR_IZR_INZ; reflexivity); no_deltas.
(* A sum to which only one place adds, as a place told by a number does, is that one. *)
Ltac only_at n a := repeat (match goal with |- context [total n ?f] => rewrite (total_at n a f) by first
  [ assumption | intros _i _I _N; cbv beta; rewrite (delta_other _i a _N); sums ] end; cbv beta);
  no_deltas; rewrite ?delta_same.
(* With t adding up to one, as the targets of a cross-entropy do. *)
Lemma normalised n t e e' a f :
  total n t = 1 -> splits n e' a f -> (forall i, (i < n)%nat -> f i = (e - a) * t i) -> e = e'.
Proof.
  unfold splits. intros T -> H. rewrite (total_ext n f _ H), total_mult, T. ring.
Qed.
(* What is measured from its mean adds up to nothing. *)
Lemma total_centred n f m : m * INR n = total n f -> total n (fun i => f i - m) = 0.
Proof.
  intros M. unfold Rminus. rewrite total_plus, total_const, <- M. ring.
Qed.
Ltac apart_from_each_other := repeat match goal with B : _ <= _ <= _ |- _ => destruct B end.
(* An absolute value that is compared is the number itself, or what it is below zero by. *)
Ltac absolutes := repeat match goal with |- context [Rabs ?e] => lazymatch e with
  | context [Rmax _ _] => fail | context [Rmin _ _] => fail
  | _ => first [rewrite (Rabs_pos_eq e) by lra | rewrite (Rabs_left1 e) by lra] end end.
Ltac comparable := try match goal with
  | |- context [Rmax _ _] => absolutes | |- context [Rmin _ _] => absolutes end.
(* In forms of which there are bounds. *)
Ltac in_bounds := rewrite ?tanh_once;
  repeat (rewrite acos_asin by (split; interval with (i_prec 60)));
  repeat (rewrite asin_atan by (split; interval with (i_prec 60)); unfold Rsqr).
(* Choices between numbers. *)
Ltac clear_of_bounds := first [ lra | solve [surely]
  | in_bounds; unfold sinh, cosh, logistic, softplus, erf; interval with (i_prec 60) ].
Ltac not_less C := exfalso; revert C; apply Rle_not_lt; clear_of_bounds.
Ltac less C := exfalso; apply C; clear_of_bounds.
Ltac not_at_most C := exfalso; revert C; apply Rlt_not_le; clear_of_bounds.
Ltac settle_numbers := repeat match goal with
  | |- context [Rlt_dec ?a ?b] => settled a; settled b; let C := fresh "C" in
      destruct (Rlt_dec a b) as [C|C]; [try not_less C|try less C]
  | |- context [Rle_dec ?a ?b] => settled a; settled b; let C := fresh "C" in
      destruct (Rle_dec a b) as [C|C]; [try not_at_most C|try less C]
  | |- context [Req_EM_T ?a ?b] => destruct (Req_EM_T a b); try never end.
Ltac kinks_of_numbers :=
  progress (unfold greater, at_least, atan2, sign, where_, Rmax, Rmin); settle_numbers.
(* What is printed is the value within half a unit of its last digit. *)
Ltac printed := subst; apart_from_each_other; open_values; comparable; try kinks_of_numbers; in_bounds;
  unfold sinh, cosh, logistic, softplus, erf;
  first [ apply Rabs_le; split; lra | lra | interval with (i_prec 60) | interval with (i_prec 200)
        | interval with (i_prec 1600) | integral with (i_prec 60) ].
(* A number computed by arithmetic and choices; a number within bounds, from bounds. *)
Ltac exactly := subst; open_values; absolutes; try kinks_of_numbers; lra.
Ltac bounded := subst; open_values; comparable; in_bounds; unfold sinh, cosh, logistic, softplus, erf;
  try kinks_of_numbers; first [interval with (i_prec 160) | lra | integral with (i_prec 180, i_degree 24, i_relwidth 145, i_fuel 400)].
