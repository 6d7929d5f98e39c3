(* ---- The largest of several: the first of those that are ---- *)

Definition largest (l : list R) : R := match l with [] => 0 | a :: m => fold_left Rmax m a end.
Fixpoint not_below (a : R) (l : list R) {struct l} : R :=
  match l with [] => 1 | b :: m => at_least a b * not_below a m end.
(* 1 if the entry at place k is the first of the largest, else 0. *)
Fixpoint chosen (k : nat) (l : list R) {struct l} : R := match l, k with
  | [], _ => 0
  | a :: m, O => not_below a m
  | a :: m, S j => greater (nth j m 0) a * chosen j m end.
Fixpoint picked_from (k : nat) (v d : list R) : R :=
  match d with [] => 0 | a :: m => chosen k v * a + picked_from (S k) v m end.
Definition picked (v d : list R) : R := picked_from 0 v d.
Fixpoint above_all (a : R) (l : list R) : Prop :=
  match l with [] => True | b :: m => b < a /\ above_all a m end.
(* The entry at place k is above all others; one of them is. *)
Fixpoint single_at (k : nat) (l : list R) {struct l} : Prop := match l, k with
  | [], _ => False
  | a :: m, O => above_all a m
  | a :: m, S j => a < nth j m 0 /\ single_at j m end.
Definition single (l : list R) : Prop := exists k, single_at k l.
Inductive all_move : (R -> list R) -> list R -> list R -> Prop :=
  | none_move : all_move (fun _ => []) [] []
  | one_moves f v d l vs ds : moves f v d -> all_move l vs ds ->
      all_move (fun x => f x :: l x) (v :: vs) (d :: ds).

Lemma fold_max_start l a : above_all a l -> fold_left Rmax l a = a.
Proof.
  induction l as [|b l IH]; cbn; [reflexivity|]. intros [B A].
  rewrite Rmax_left by lra. apply IH, A.
Qed.
Lemma fold_max_below k l a : single_at k l -> a < nth k l 0 -> fold_left Rmax l a = nth k l 0.
Proof.
  revert k a. induction l as [|b l IH]; intros k a S B; [contradiction|].
  destruct k as [|k]; cbn in *.
  - rewrite Rmax_right by lra. apply fold_max_start, S.
  - destruct S as [L S]. apply IH; [assumption|]. apply Rmax_lub_lt; assumption.
Qed.
Lemma largest_is k l : single_at k l -> largest l = nth k l 0.
Proof.
  destruct l as [|a l], k as [|k]; cbn; try contradiction.
  - apply fold_max_start.
  - intros [B S]. apply fold_max_below; assumption.
Qed.
Lemma not_below_all a l : above_all a l -> not_below a l = 1.
Proof.
  induction l as [|b l IH]; cbn; [reflexivity|]. intros [B A]. rewrite IH by assumption.
  unfold at_least. destruct (Rle_dec b a); [ring|lra].
Qed.
Lemma above_all_nth a l k : above_all a l -> (k < length l)%nat -> nth k l 0 < a.
Proof.
  revert k. induction l as [|b l IH]; intros k A L; cbn in *; [lia|].
  destruct A as [B A]. destruct k; [assumption|]. apply IH; [assumption|lia].
Qed.
Lemma single_at_within k l : single_at k l -> (k < length l)%nat.
Proof.
  revert k. induction l as [|a l IH]; intros [|k]; cbn; try contradiction; [lia|].
  intros [_ S]. specialize (IH k S). lia.
Qed.
Lemma single_at_above j k l :
  single_at k l -> (j < length l)%nat -> j <> k -> nth j l 0 < nth k l 0.
Proof.
  revert j k. induction l as [|a l IH]; intros j k S L N; [contradiction|].
  destruct k as [|k], j as [|j]; cbn in *; try lia.
  - apply above_all_nth; [assumption|lia].
  - apply S.
  - destruct S as [B S]. apply IH; [assumption|lia|lia].
Qed.
Lemma not_below_none a l k : (k < length l)%nat -> a < nth k l 0 -> not_below a l = 0.
Proof.
  revert k. induction l as [|b l IH]; intros k L A; cbn in *; [lia|].
  destruct k as [|k].
  - unfold at_least. destruct (Rle_dec b a); [lra|ring].
  - rewrite (IH k) by (try lia; assumption). ring.
Qed.
Lemma chosen_is k l : single_at k l -> chosen k l = 1.
Proof.
  revert k. induction l as [|a l IH]; intros k S; [contradiction|].
  destruct k as [|k]; cbn in *; [apply not_below_all, S|].
  destruct S as [B S]. rewrite (IH k S). unfold greater.
  destruct (Rlt_dec a (nth k l 0)); [ring|contradiction].
Qed.
Lemma chosen_other j k l : single_at k l -> j <> k -> chosen j l = 0.
Proof.
  revert j k. induction l as [|a l IH]; intros j k S N; [contradiction|].
  destruct j as [|j], k as [|k]; try lia.
  - destruct S as [B S]. cbn. apply (not_below_none a l k); [apply single_at_within, S|assumption].
  - cbn in *. assert (B := S). destruct (Nat.lt_ge_cases j (length l)) as [L|L].
    { apply above_all_nth with (k := j) in B; [|assumption]. unfold greater.
      destruct (Rlt_dec a (nth j l 0)); [lra|ring]. }
    assert (E : forall m i, (length m <= i)%nat -> chosen i m = 0).
    { clear. induction m as [|b m IH]; intros [|i] L; cbn in *; try lia; try reflexivity.
      rewrite IH by lia. ring. }
    rewrite E by assumption. ring.
  - cbn in *. destruct S as [B S]. rewrite (IH j k S) by lia. ring.
Qed.
Lemma picked_from_is k v d n : single_at k v -> (n <= k)%nat -> (k < n + length d)%nat ->
  picked_from n v d = nth (k - n) d 0.
Proof.
  intros S. revert n. induction d as [|a d IH]; intros n N L; cbn in *; [lia|].
  destruct (Nat.eq_dec n k) as [E|E].
  - subst n. rewrite (chosen_is k v S). replace (k - k)%nat with 0%nat by lia.
    assert (Z : forall e m, (k < m)%nat -> picked_from m v e = 0).
    { induction e as [|b e IHe]; intros m M; cbn; [reflexivity|].
      rewrite (chosen_other m k v S) by lia. rewrite IHe by lia. ring. }
    rewrite Z by lia. ring.
  - rewrite (chosen_other n k v S) by lia. rewrite IH by lia.
    replace (k - n)%nat with (Datatypes.S (k - Datatypes.S n)) by lia. ring.
Qed.
Lemma all_move_nth l v d k : all_move l v d -> (k < length v)%nat ->
  moves (fun x => nth k (l x) 0) (nth k v 0) (nth k d 0).
Proof.
  intros M. revert k. induction M as [|f v d l vs ds F M IH]; intros k L; cbn in L; [lia|].
  destruct k as [|k]; cbn; [exact F|]. apply IH. lia.
Qed.
Lemma all_move_length l v d : all_move l v d -> length d = length v.
Proof. induction 1; cbn; congruence. Qed.
Lemma above_all_near f l v d a s : all_move l v d -> moves f a s -> above_all a v ->
  locally 0 (fun x => above_all (f x) (l x)).
Proof.
  intros M F. induction M as [|g b e l vs ds G M IH]; cbn.
  - intros _. apply filter_forall. intros; exact I.
  - intros [B A]. specialize (IH A).
    assert (N : b <> a) by lra. destruct (apart _ _ _ _ _ _ G F N) as [[_ C]|[C _]]; [|lra].
    generalize (filter_and _ _ C IH). apply filter_imp. intros x H. exact H.
Qed.
Lemma single_near k l v d : all_move l v d -> single_at k v -> locally 0 (fun x => single_at k (l x)).
Proof.
  intros M. revert k. induction M as [|g b e l vs ds G M IH]; intros k S; [contradiction|].
  destruct k as [|k]; cbn in *.
  - exact (above_all_near _ _ _ _ _ _ M G S).
  - destruct S as [B S]. assert (L := single_at_within _ _ S).
    assert (K := all_move_nth _ _ _ k M L). assert (N : b <> nth k vs 0) by lra.
    destruct (apart _ _ _ _ _ _ G K N) as [[_ C]|[C _]]; [|lra].
    generalize (filter_and _ _ C (IH k S)). apply filter_imp. intros x H. exact H.
Qed.
Lemma moves_largest l v d : all_move l v d -> single v ->
  moves (fun x => largest (l x)) (largest v) (picked v d).
Proof.
  intros M [k S]. assert (L := single_at_within _ _ S).
  apply (moves_locally (fun x => nth k (l x) 0)).
  - generalize (single_near k l v d M S). apply filter_imp. intros x H. symmetry.
    apply largest_is, H.
  - apply (moves_as _ _ _ _ _ (all_move_nth l v d k M L)); [symmetry; apply largest_is, S|].
    unfold picked. rewrite (picked_from_is k v d 0 S); [f_equal; lia|lia|].
    rewrite (all_move_length l v d M). lia.
Qed.
Lemma single_is k l : single_at k l -> single l.
Proof. intros S. exists k. exact S. Qed.

Ltac all_apart := match goal with
  | |- all_move (fun _ => []) _ _ => apply none_move
  | |- all_move (fun x => @?f x :: @?l x) _ _ => eapply (one_moves f _ _ l); [take_apart|all_apart]
  end.
Ltac take_more ::= match goal with
  | |- moves (fun x => largest (@?l x)) _ _ => eapply (moves_largest l); [all_apart|surely]
  end.
Ltac open_rates ::= cbn [picked picked_from].
Ltac open_values ::= cbn [largest fold_left chosen not_below nth].

