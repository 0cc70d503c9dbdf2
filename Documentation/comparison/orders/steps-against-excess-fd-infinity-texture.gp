# excess of FD∞ texture against the number of steps.
#
# token-entropy 0.1.0
# command: token-entropy fid-compare --tokens scenes-12x12 --seeds 2 --batch 8 --steps 5000 --learning-rate 0.002 --count 1000 --forced-images 350 --forced-steps 4 --likelihood-images 400 --extractor texture --extractor structure --output-dir scenes
# input: scenes-12x12.h5, hash xxh64:dbe7592964b04636
# seed: 0
#
# Draw it in this folder:    gnuplot steps-against-excess-fd-infinity-texture.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" steps-against-excess-fd-infinity-texture.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'steps-against-excess-fd-infinity-texture.'.format
data = 'steps-against-excess-fd-infinity-texture.dat'
width = 742.; height = 398.  # of the page, in points
scale = 2  # pixels per point in png
has(terminal) = strstrt(' '.GPVAL_TERMINALS.' ', ' '.terminal.' ') > 0

if (format eq 'png' && has('pngcairo')) {
  set terminal pngcairo noenhanced size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale pointscale 0.75*scale background '#ffffff'
} else { if (format eq 'png' && has('png')) {
  set terminal png noenhanced truecolor size scale*width,scale*height font "sans-serif,11" \
    fontscale 0.75*scale linewidth scale background '#ffffff'
} else { if (format eq 'svg' && has('svg')) {
  set terminal svg noenhanced size width,height fixed font "sans-serif,11" background '#ffffff'
} else { if (format eq 'pdf' && has('pdfcairo')) {
  set terminal pdfcairo noenhanced size width/72,height/72 font "sans-serif,11" \
    fontscale 0.75 linewidth 1.6 pointscale 0.85 dashlength 1.6 background '#ffffff'
} else {
  exit error 'this gnuplot cannot draw '.format.'; choose png, svg or pdf'
} } } }
set encoding utf8
set output output

X(points) = points / width  # from the left edge
Y(points) = 1 - points / height  # from the top edge

set lmargin at screen X(68.2); set rmargin at screen X(468.2)
set tmargin at screen Y(17.6); set bmargin at screen Y(316.8)
set label 1 '2 models of 3 layers of width 96 for all orders, 1,000 samples in each; bars: standard errors. Data: scenes-12x12.h5, 10,000' at screen X(68.2),screen Y(369.6) left font ",9.35" textcolor rgb '#404040'
set label 2 'images, half of them to train on.' at screen X(68.2),screen Y(383.35) left font ",9.35" textcolor rgb '#404040'
set border 3 lc rgb '#404040'
set grid lc rgb '#e2e2e2' lt 1 lw 0.6
set xlabel 'steps'
set ylabel 'excess of FD∞ texture'
set xrange [0.78:185]
set xtics out nomirror scale 0.5 ('1' 1.0, '2' 2.0, '5' 5.0, '10' 10.0, '20' 20.0, '50' 50.0, '100' 100.0)
set logscale x
set yrange [0.00381:3.78]
set ytics out nomirror scale 0.5 ('0.005' 0.005, '0.01' 0.01, '0.02' 0.02, '0.05' 0.05, '0.1' 0.1, '0.2' 0.2, '0.5' 0.5, '1' 1.0, '2' 2.0)
set logscale y
lowest = 0.00381  # values that are not above it are marked at the edge
set key at screen X(481.4),screen Y(17.6) left top Left reverse vertical maxrows 17 samplen 2 spacing 1.2 font ",9.9"

plot data index 0 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 0 using 1:($2>lowest?$2:NaN) with points pointtype 7 pointsize 0.8 lc rgb '#0072b2' title 'halton', \
  data index 0 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#0072b2' notitle, \
  data index 1 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 1 using 1:($2>lowest?$2:NaN) with linespoints dashtype 2 lw 1.4 pointtype 5 pointsize 0.8 lc rgb '#d55e00' title 'raster', \
  data index 1 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#d55e00' notitle, \
  data index 2 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#009e73' lw 0.8 notitle, \
  data index 2 using 1:($2>lowest?$2:NaN) with linespoints dashtype 3 lw 1.4 pointtype 9 pointsize 0.8 lc rgb '#009e73' title 'halton:schedule=cosine', \
  data index 2 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#009e73' notitle, \
  data index 3 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#cc79a7' lw 0.8 notitle, \
  data index 3 using 1:($2>lowest?$2:NaN) with linespoints dashtype 4 lw 1.4 pointtype 13 pointsize 0.8 lc rgb '#cc79a7' title 'halton:schedule=optimal', \
  data index 3 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#cc79a7' notitle, \
  data index 4 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#56b4e9' lw 0.8 notitle, \
  data index 4 using 1:($2>lowest?$2:NaN) with linespoints dashtype 1 lw 1.4 pointtype 6 pointsize 0.8 lc rgb '#56b4e9' title 'distant', \
  data index 4 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#56b4e9' notitle, \
  data index 5 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#e69f00' lw 0.8 notitle, \
  data index 5 using 1:($2>lowest?$2:NaN) with linespoints dashtype 2 lw 1.4 pointtype 4 pointsize 0.8 lc rgb '#e69f00' title 'distant:n=16', \
  data index 6 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#000000' lw 0.8 notitle, \
  data index 6 using 1:($2>lowest?$2:NaN) with points pointtype 8 pointsize 0.8 lc rgb '#000000' title 'searched', \
  data index 6 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#000000' notitle, \
  data index 7 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 7 using 1:($2>lowest?$2:NaN) with points pointtype 5 pointsize 0.8 lc rgb '#0072b2' title 'random', \
  data index 8 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 8 using 1:($2>lowest?$2:NaN) with points pointtype 9 pointsize 0.8 lc rgb '#d55e00' title 'distant:initial=0', \
  data index 9 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#009e73' lw 0.8 notitle, \
  data index 9 using 1:($2>lowest?$2:NaN) with points pointtype 13 pointsize 0.8 lc rgb '#009e73' title 'distant:schedule=optimal', \
  data index 10 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#cc79a7' lw 0.8 notitle, \
  data index 10 using 1:($2>lowest?$2:NaN) with points pointtype 6 pointsize 0.8 lc rgb '#cc79a7' title 'blocks', \
  data index 11 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#56b4e9' lw 0.8 notitle, \
  data index 11 using 1:($2>lowest?$2:NaN) with points pointtype 4 pointsize 0.8 lc rgb '#56b4e9' title 'diagonal', \
  data index 11 using 1:($2<=lowest?lowest:NaN) with points pointtype 10 pointsize 0.9 lc rgb '#56b4e9' notitle, \
  data index 12 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#e69f00' lw 0.8 notitle, \
  data index 12 using 1:($2>lowest?$2:NaN) with points pointtype 8 pointsize 0.8 lc rgb '#e69f00' title 'window:w=4', \
  data index 13 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#000000' lw 0.8 notitle, \
  data index 13 using 1:($2>lowest?$2:NaN) with points pointtype 7 pointsize 0.8 lc rgb '#000000' title 'checkerboard', \
  data index 14 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 14 using 1:($2>lowest?$2:NaN) with points pointtype 9 pointsize 0.8 lc rgb '#0072b2' title 'lpd', \
  data index 15 using 1:($2>lowest?$2:NaN):($2-$3>lowest?$2-$3:lowest):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 15 using 1:($2>lowest?$2:NaN) with points pointtype 13 pointsize 0.8 lc rgb '#d55e00' title 'subsample:schedule=levels', \
  NaN with points pointtype 10 pointsize 0.9 lc rgb '#404040' title 'below the axis: ≤ 0 or within its error'
unset output
