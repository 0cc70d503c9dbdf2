# dependency against the total entropy increase of the order.
#
# token-entropy 0.1.0
# command: fid-compare --output-dir out
# input: scenes-12x12.h5, hash xxh64:dbe7592964b04636
# seed: 0
# threads: 2, BLAS core: Cooperlake
#
# Draw it in this folder:    gnuplot proxy-dependency-maps.gp
# as png, svg or pdf:        gnuplot -e "format='pdf'" proxy-dependency-maps.gp

if (!exists("format")) format = 'png'
if (!exists("output")) output = 'proxy-dependency-maps.'.format
data = 'proxy-dependency-maps.dat'
width = 697.; height = 368.  # of the page, in points
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

set lmargin at screen X(55); set rmargin at screen X(455)
set tmargin at screen Y(17.6); set bmargin at screen Y(287.6)
set label 1 'Models of 3 layers of width 64, 5,000 samples of each; points: means over seeds, bars: their standard deviation; in' at screen X(55),screen Y(340.4) left font ",9.35" textcolor rgb '#404040'
set label 2 'brackets the paper''s FID. Data: scenes-12x12.h5, 10,000 images, half of them to train on. Real against real: 0.0819.' at screen X(55),screen Y(354.15) left font ",9.35" textcolor rgb '#404040'
set border 3 lc rgb '#404040'
set grid lc rgb '#e2e2e2' lt 1 lw 0.6
set xlabel 'total entropy increase [nats]'
set ylabel 'dependency'
set xrange [-0.2569103382907349:5.395117104105432]
set xtics out nomirror scale 0.5 ('0' 0.0, '1' 0.881373587019543, '2' 1.4436354751788103, '5' 2.3124383412727525, '10' 2.99822295029797, '20' 3.6895038689889055, '50' 4.605270170991424, '100' 5.298342365610589)
set yrange [0.060070385570915236:0.5399436083381981]
set ytics out nomirror scale 0.5 ('0.1' 0.1, '0.2' 0.2, '0.3' 0.30000000000000004, '0.4' 0.4, '0.5' 0.5)
set key at screen X(468.2),screen Y(17.6) left top Left reverse vertical maxrows 8 samplen 2 spacing 1.2 font ",9.9"

plot data index 0 using (asinh($1)):2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#0072b2' lw 0.8 notitle, \
  data index 0 using (asinh($1)):2 with points pointtype 7 pointsize 0.8 lc rgb '#0072b2' title 'raster+one (paper: 2.62)', \
  data index 1 using (asinh($1)):2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#d55e00' lw 0.8 notitle, \
  data index 1 using (asinh($1)):2 with points pointtype 5 pointsize 0.8 lc rgb '#d55e00' title 'distant+one (paper: 2.64)', \
  data index 2 using (asinh($1)):2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#009e73' lw 0.8 notitle, \
  data index 2 using (asinh($1)):2 with points pointtype 9 pointsize 0.8 lc rgb '#009e73' title 'raster (paper: 5.64)', \
  data index 3 using (asinh($1)):2:($2-$3):($2+$3) with yerrorbars pointtype 0 lc rgb '#cc79a7' lw 0.8 notitle, \
  data index 3 using (asinh($1)):2 with points pointtype 13 pointsize 0.8 lc rgb '#cc79a7' title 'distant (paper: 2.61)', \
  data index 4 using (asinh($1)):2 with points pointtype 6 pointsize 0.8 lc rgb '#56b4e9' title 'distant:initial=0 (paper: 3.67)', \
  data index 5 using (asinh($1)):2 with points pointtype 4 pointsize 0.8 lc rgb '#e69f00' title 'distant:n=16 (paper: 3.02)', \
  data index 6 using (asinh($1)):2 with points pointtype 8 pointsize 0.8 lc rgb '#000000' title 'distant+causal (paper: 3.64)', \
  data index 7 using (asinh($1)):2 with lines dashtype 2 lw 1.2 lc rgb '#404040' title 'real against real'
unset output
